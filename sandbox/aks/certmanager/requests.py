"""CertificateRequests: approved, ordered from their issuer, and answered."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509

from sandbox.aks.api import Api
from sandbox.aks.certmanager import keys, policies
from sandbox.aks.certmanager.issuers import Issuers, is_ready
from sandbox.aks.certmanager.objects import (
    REQUESTS,
    Object,
    Status,
    condition,
    event,
    name,
    namespace,
    now,
    save_status,
    stamp,
    status,
    with_condition,
)
from sandbox.aks.certmanager.orders import FINAL, Orders

_ISSUED = "Certificate fetched from issuer successfully"


class Requests:
    """Those of one cluster."""

    def __init__(self, api: Api, orders: Orders) -> None:
        self._api = api
        self._orders = orders

    async def settle(self, request: Object, issuers: Issuers) -> set[tuple[str, str]]:
        """Go on with a request; the (host, token) of challenges that must still be served for it."""
        if condition(request, "Ready").get("reason") in ("Issued", "Failed", "Denied"):
            return set()
        if condition(request, "Approved").get("status") != "True":
            text = "Certificate request has been approved by cert-manager.io"
            conditions = with_condition(request, "Approved", "True", "cert-manager.io", text)
            await save_status(self._api, REQUESTS, request, conditions=conditions)
            await self._say(request, "cert-manager.io", text)
        spec = request["spec"]
        issuer = issuers.find(spec, namespace(request))
        if issuer is None:
            wanted, kind, _ = policies.issuer(spec)
            text = f'Referenced "{kind}" not found: {kind.lower()}.cert-manager.io "{wanted}" not found'
            await self._pending(request, "IssuerNotFound", text)
            return set()
        if not is_ready(issuer):
            text = "Referenced issuer does not have a Ready status condition"
            await self._pending(request, "IssuerNotReady", text)
            return set()
        names = self._names(request)
        if not names:
            text = "The CSR PEM requests no DNS name, which is all that ACME certifies here"
            await self._fail(request, "InvalidOrder", text)
            return set()
        order, made = await self._orders.of(request, names)
        if made:
            text = f"Created Order resource {namespace(order)}/{name(order)}"
            await self._pending(request, "OrderCreated", text)
        serving = await self._orders.settle(order, issuer, issuers)
        await self._follow(request, order)
        return serving

    async def _follow(self, request: Object, order: Object) -> None:
        state = status(order).get("state", "")
        if state == "valid":
            conditions = with_condition(request, "Ready", "True", "Issued", _ISSUED)
            certificate = status(order)["certificate"]
            await save_status(self._api, REQUESTS, request, conditions=conditions, certificate=certificate)
            await self._say(request, "CertificateIssued", _ISSUED)
        elif state in FINAL:
            text = (
                f'Failed to wait for order resource "{name(order)}" to become ready: order is in "{state}" '
                f"state: {status(order).get('reason', '')}"
            )
            await self._fail(request, "OrderFailed", text)
        else:
            text = f'Waiting on certificate issuance from order {namespace(order)}/{name(order)}: "{state}"'
            await self._pending(request, "OrderPending", text)

    @staticmethod
    def _names(request: Object) -> list[str]:
        asked = x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"]))
        return sorted(keys.names_of(asked))

    async def _pending(self, request: Object, reason: str, message: str) -> None:
        if condition(request, "Ready").get("reason") != "Pending":
            await self._say(request, reason, message)
        await self._ready(request, "False", "Pending", message)

    async def _fail(self, request: Object, reason: str, message: str) -> None:
        await self._say(request, reason, message, warning=True)
        await self._ready(request, "False", "Failed", message, failureTime=stamp(now()))

    async def _ready(self, request: Object, state: Status, reason: str, message: str, **changes: Any) -> None:
        conditions = with_condition(request, "Ready", state, reason, message)
        await save_status(self._api, REQUESTS, request, conditions=conditions, **changes)

    async def _say(self, request: Object, reason: str, message: str, *, warning: bool = False) -> None:
        await event(self._api, request, "CertificateRequest", reason, message, warning=warning)
