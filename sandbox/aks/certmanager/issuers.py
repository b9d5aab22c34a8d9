"""Issuers and ClusterIssuers: an ACME account each, or why there is none."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.aks.api import Api
from sandbox.aks.certmanager import keys, policies
from sandbox.aks.certmanager.objects import (
    CLUSTER_ISSUERS,
    ISSUERS,
    SECRETS,
    Known,
    Object,
    Status,
    condition,
    inside,
    save_status,
    with_condition,
)

_KINDS = ("acme", "ca", "selfSigned", "vault", "venafi")
_KEY = "tls.key"


class Issuers:
    """`home` is the namespace in which the Secrets of ClusterIssuers lie: the release's."""

    def __init__(self, api: Api, home: str) -> None:
        self._api = api
        self._home = home
        self._known: dict[tuple[str, str, str], Object] = {}

    async def settle(self) -> None:
        """See to every issuer's account and status."""
        found: dict[tuple[str, str, str], Object] = {}
        for collection, kind in ((ISSUERS, "Issuer"), (CLUSTER_ISSUERS, "ClusterIssuer")):
            for issuer in (await self._api.get(collection))["items"]:
                space = issuer["metadata"].get("namespace", "")
                await self._settle(collection, issuer, space or self._home)
                found[kind, space, issuer["metadata"]["name"]] = issuer
        self._known = found

    def find(self, spec: Mapping[str, Any], space: str) -> Object | None:
        """The issuer that an object in `space` refers to."""
        name, kind, _ = policies.issuer(spec)
        return self._known.get((kind, space if kind == "Issuer" else "", name))

    async def account_key(self, issuer: Known) -> str | None:
        """The account's private key (PEM)."""
        reference = issuer["spec"]["acme"]["privateKeySecretRef"]
        space = issuer["metadata"].get("namespace") or self._home
        secret = await self._api.find(f"{inside(SECRETS, space)}/{reference['name']}")
        held = policies.data(secret or {}, reference.get("key") or _KEY)
        return held.decode() if held else None

    async def _settle(self, collection: str, issuer: Object, space: str) -> None:
        acme = issuer["spec"].get("acme")
        if acme is None:
            kinds = [kind for kind in _KINDS if kind in issuer["spec"]]
            said = f"issuers of kind {kinds[0]}" if kinds else "an issuer that configures nothing"
            await self._ready(
                collection, issuer, "False", "NotSupported", f"the sandbox serves ACME, not {said}"
            )
            return
        if urlsplit(acme["server"]).scheme != "https":
            text = f"Failed to register ACME account: the server '{acme['server']}' is no https URL"
            await self._ready(collection, issuer, "False", "ErrRegisterACMEAccount", text)
            return
        key = await self.account_key(issuer)
        if key is None:
            if acme.get("disableAccountKeyGeneration"):
                text = "Failed to verify ACME account: the Secret with the account's private key is missing"
                await self._ready(collection, issuer, "False", "ErrVerifyACMEAccount", text)
                return
            key = await self._new_key(acme, space)
        digest = hashlib.sha256(key.encode()).digest()
        host = urlsplit(acme["server"]).netloc
        account = {
            "uri": f"https://{host}/acme/acct/{int.from_bytes(digest[:4], 'big')}",
            "lastPrivateKeyHash": base64.b64encode(digest).decode(),
        }
        if acme.get("email"):
            account["lastRegisteredEmail"] = acme["email"]
        text = "The ACME account was registered with the ACME server"
        await self._ready(collection, issuer, "True", "ACMEAccountRegistered", text, acme=account)

    async def _new_key(self, acme: Mapping[str, Any], space: str) -> str:
        reference = acme["privateKeySecretRef"]
        key = keys.generate({})
        encoded = base64.b64encode(key.encode()).decode()
        held = reference.get("key") or _KEY
        path = f"{inside(SECRETS, space)}/{reference['name']}"
        if await self._api.find(path) is not None:
            await self._api.patch(path, {"data": {held: encoded}})
            return key
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": reference["name"], "namespace": space},
            "type": "Opaque",
            "data": {held: encoded},
        }
        await self._api.post(inside(SECRETS, space), secret)
        return key

    async def _ready(
        self, collection: str, issuer: Object, state: Status, reason: str, message: str, **changes: Any
    ) -> None:
        conditions = with_condition(issuer, "Ready", state, reason, message)
        await save_status(self._api, collection, issuer, conditions=conditions, **changes)


def is_ready(issuer: Known) -> bool:
    return condition(issuer, "Ready").get("status") == "True"
