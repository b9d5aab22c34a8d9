"""One cluster's cert-manager: at work while a release of its chart is deployed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sandbox.aks import watching
from sandbox.aks.api import Api, ApiError
from sandbox.aks.certmanager.certificates import Certificates
from sandbox.aks.certmanager.http01 import Challenges, Resolve
from sandbox.aks.certmanager.issuers import Issuers
from sandbox.aks.certmanager.objects import CERTIFICATES, REQUESTS, SECRETS, WATCHED, Object, condition
from sandbox.aks.certmanager.orders import Orders
from sandbox.aks.certmanager.requests import Requests
from sandbox.helm import releases
from sandbox.helm.releases import Release
from sandbox.services import CertificateAuthority

log = logging.getLogger(__name__)

CHART = "cert-manager"
#: Seconds until what waits for something outside (a name, an ingress) is looked at again, at first and at
#: most; and until the next look where nothing waits, because a renewal may be due.
_SOON, _WAITING, _IDLE = 0.5, 5.0, 60.0


class CertManager:
    """`changed` is set whenever one of its objects changes; `presented` tells the ingress controller."""

    def __init__(
        self,
        api: Api,
        *,
        authority: CertificateAuthority,
        resolve: Resolve,
        challenges: Challenges,
        presented: Callable[[], None],
        changed: asyncio.Event,
    ) -> None:
        self._api = api
        self._challenges = challenges
        self._presented = presented
        self._changed = changed
        self._client = httpx.AsyncClient(trust_env=False, verify=False)  # noqa: S501 (as ACME servers do)
        orders = Orders(
            api,
            authority=authority,
            client=self._client,
            resolve=resolve,
            challenges=challenges,
            presented=presented,
        )
        self._requests = Requests(api, orders)
        self._certificates = Certificates(api)
        self._watching: asyncio.Task[None] | None = None
        self._pause = _SOON

    async def reconcile(self) -> float:
        """One round; seconds until the next is wanted though nothing changes."""
        release = await self._release()
        if release is None:
            await self._rest()
            return _IDLE
        try:
            return await self._work(release)
        except ApiError as error:
            if error.status == 404:  # the definitions are not there, or no more
                await self._rest()
                return _WAITING
            raise

    async def stop(self) -> None:
        await self._rest()
        await self._client.aclose()

    async def _work(self, release: Release) -> float:
        issuers = Issuers(self._api, release.namespace)
        await issuers.settle()
        certificates = (await self._api.get(CERTIFICATES))["items"]
        self._watch()
        requests = (await self._api.get(REQUESTS))["items"]
        serving: set[tuple[str, str]] = set()
        for request in requests:
            serving |= await self._requests.settle(request, issuers)
        if self._challenges.keep(serving):
            self._presented()
        secrets = await self._secrets(certificates)
        for certificate in certificates:
            try:
                await self._certificates.settle(certificate, secrets, requests)
            except (KeyError, ValueError) as error:
                # One that the webhook's policy should have refused must not keep the others waiting.
                log.warning("certificate %s: %r", certificate["metadata"]["name"], error)
        waiting = any(condition(one, "Issuing").get("status") == "True" for one in certificates)
        if not waiting and not serving:
            self._pause = _SOON
            return _IDLE
        self._pause = min(2 * self._pause, _WAITING)
        return self._pause

    async def _secrets(self, certificates: list[Object]) -> Mapping[tuple[str, str], Object]:
        """All Secrets of the namespaces that have certificates."""
        found: dict[tuple[str, str], Any] = {}
        for space in {one["metadata"]["namespace"] for one in certificates}:
            for one in (await self._api.get(f"/api/v1/namespaces/{space}/secrets"))["items"]:
                found[space, one["metadata"]["name"]] = one
        return found

    async def _release(self) -> Release | None:
        """The release of the chart, whatever it is called."""
        query = {"labelSelector": f"{releases.OWNER},status=deployed"}
        found = [releases.read(one) for one in (await self._api.get(SECRETS, query))["items"]]
        return next((one for one in found if one is not None and one.chart.name == CHART), None)

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(watching.watch(self._api, WATCHED, self._changed))

    async def _rest(self) -> None:
        """Nothing to look after."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, ExceptionGroup):
                await self._watching
            self._watching = None
