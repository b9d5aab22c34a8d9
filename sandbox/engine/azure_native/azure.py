"""One configured provider instance: its cloud, identity and subscription, opened when first needed."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import httpx

from sandbox.engine.azure_native import cloud, settings
from sandbox.engine.azure_native.arm_client import ArmClient
from sandbox.engine.azure_native.auth import Tokens
from sandbox.engine.failures import PlugError
from sandbox.engine.plug import Session
from sandbox.engine.values import has_unknown
from sandbox.types import table

_TIMEOUT = httpx.Timeout(120, connect=10)
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=32)


class Connections:
    """Clients by settings, shared by all engine runs: a new run need not ask for cloud and token again."""

    def __init__(self) -> None:
        self._clients: dict[settings.Settings, ArmClient] = {}
        self._lock = threading.Lock()

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(verify=cloud.trust(), timeout=_TIMEOUT, limits=_LIMITS)

    def client(self, configured: settings.Settings) -> ArmClient:
        with self._lock:
            client = self._clients.get(configured)
            if client is None:
                place = cloud.read(configured, self._http)
                client = ArmClient(
                    self._http, place.resource_manager, Tokens(configured, place), vaults=place.vaults
                )
                self._clients[configured] = client
            return client


class Azure:
    """What one engine run's provider instance reaches. Settings that are not known yet (in a preview) are
    refused only when something needs the cloud."""

    def __init__(
        self,
        connections: Connections,
        config: Mapping[str, Any],
        session: Session,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._connections = connections
        self._session = session
        self.known = not has_unknown(dict(config))
        self.settings = settings.parse({} if not self.known else config, environ)

    @cached_property
    def client(self) -> ArmClient:
        if not self.known:
            raise PlugError(
                "this provider's settings are not known yet; they depend on something to be created"
            )
        return replace(self._connections.client(self.settings), sleep=self._session.sleep)

    @property
    def subscription(self) -> str:
        if not self.settings.subscription_id:
            raise PlugError(
                "no subscription is configured: run `pulumi config set azure-native:subscriptionId ID` "
                "or set ARM_SUBSCRIPTION_ID"
            )
        return self.settings.subscription_id

    def group_location(self, group: str) -> str | None:
        """Where a resource group is, or None where there is none yet."""
        row = table.by_arm_type("Microsoft.Resources/resourceGroups")
        if row is None:
            return None
        path = row.format({"subscriptionId": self.subscription, "resourceGroupName": group})
        found = self.client.get(path, row.api_version)
        return found.get("location") if found else None

    def identity(self) -> dict[str, str]:
        """Who the provider acts as, from its token's claims."""
        claims = _claims(self.client.tokens.get())
        return {
            "clientId": str(claims.get("appid") or claims.get("azp") or self.settings.client_id),
            "objectId": str(claims.get("oid", "")),
            "subscriptionId": self.subscription,
            "tenantId": str(claims.get("tid") or self.settings.tenant_id),
        }


def _claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, unverified: it is ours."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found
