"""Orders and their Challenges: proving that a name is the cluster's, one after the other until all are."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sandbox.aks.api import Api
from sandbox.aks.certmanager import http01, policies
from sandbox.aks.certmanager.http01 import Challenges, Resolve
from sandbox.aks.certmanager.issuers import Issuers
from sandbox.aks.certmanager.objects import (
    ACME_API_VERSION,
    API_VERSION,
    CHALLENGES,
    ORDERS,
    Known,
    Object,
    digest,
    event,
    inside,
    name,
    namespace,
    notes_of,
    now,
    owned_by,
    owner,
    place,
    save_status,
    stamp,
    status,
)
from sandbox.aks.settings import INGRESS_CLASS
from sandbox.services import CertificateAuthority

FINAL = ("valid", "errored", "invalid", "expired")
#: Seconds that certificates of an ACME server live unless the issuer honours a Certificate's duration.
LIFE = 90 * 24 * 3600.0


class Orders:
    """`authority` stands for the ACME server's; `presented` is called when the ingress has more to serve."""

    def __init__(
        self,
        api: Api,
        *,
        authority: CertificateAuthority,
        client: httpx.AsyncClient,
        resolve: Resolve,
        challenges: Challenges,
        presented: Callable[[], None],
    ) -> None:
        self._api = api
        self._authority = authority
        self._client = client
        self._resolve = resolve
        self._challenges = challenges
        self._presented = presented

    async def of(self, request: Known, names: list[str]) -> tuple[Object, bool]:
        """The Order of a CertificateRequest, and whether it was made now."""
        space = namespace(request)
        called = f"{name(request)}-{digest(request['spec']['request'], *names)}"
        path = f"{inside(ORDERS, space)}/{called}"
        found = await self._api.find(path)
        if found is not None:
            return found, False
        notes = {key: value for key, value in notes_of(request).items() if key.startswith("cert-manager.io/")}
        spec: Object = {
            "request": request["spec"]["request"],
            "issuerRef": request["spec"]["issuerRef"],
            "dnsNames": names,
        }
        if request["spec"].get("duration"):
            spec["duration"] = request["spec"]["duration"]
        body = {
            "apiVersion": ACME_API_VERSION,
            "kind": "Order",
            "metadata": {
                "name": called,
                "namespace": space,
                "annotations": notes,
                "ownerReferences": [owner(request, API_VERSION, "CertificateRequest")],
            },
            "spec": spec,
        }
        return await self._api.post(inside(ORDERS, space), body), True

    async def settle(self, order: Object, issuer: Known, issuers: Issuers) -> set[tuple[str, str]]:
        """Go on with an order; the (host, token) of challenges that must still be served."""
        if status(order).get("state") in FINAL:
            return set()
        hosts = order["spec"]["dnsNames"]
        trouble = _unsolvable(issuer, hosts)
        if trouble is not None:
            text = f"Failed to determine a valid solver configuration for the set of domains: {trouble}"
            await event(self._api, order, "Order", "Solver", text, warning=True)
            await save_status(
                self._api, ORDERS, order, state="errored", reason=text, failureTime=stamp(now())
            )
            return set()
        key = await issuers.account_key(issuer)
        if key is None:
            return set()
        base = f"https://{httpx.URL(issuer['spec']['acme']['server']).host}/acme"
        number = digest(order["metadata"]["uid"])
        authorizations = [
            {
                "identifier": host,
                "url": f"{base}/authz/{digest(number, host)}",
                "initialState": "pending",
                "wildcard": False,
            }
            for host in hosts
        ]
        await save_status(
            self._api,
            ORDERS,
            order,
            state=status(order).get("state") or "pending",
            url=f"{base}/order/{number}",
            finalizeURL=f"{base}/finalize/{number}",
            authorizations=authorizations,
        )
        made = await self._challenges_of(order, issuer, base, key)
        for challenge in made:
            await self._settle_challenge(challenge)
        if all(status(one).get("state") == "valid" for one in made):
            await self._finish(order, issuer, made)
            return set()
        return {(one["spec"]["dnsName"], one["spec"]["token"]) for one in made}

    async def _challenges_of(self, order: Object, issuer: Known, base: str, key: str) -> list[Object]:
        space = namespace(order)
        there = {
            one["spec"]["dnsName"]: one
            for one in (await self._api.get(inside(CHALLENGES, space)))["items"]
            if owned_by(one, order)
        }
        found = []
        for host in order["spec"]["dnsNames"]:
            if host not in there:
                there[host] = await self._new_challenge(order, issuer, base, key, host)
            found.append(there[host])
        return found

    async def _new_challenge(self, order: Object, issuer: Known, base: str, key: str, host: str) -> Object:
        token = http01.new_token()
        called = f"{name(order)}-{digest(host)}"
        body = {
            "apiVersion": ACME_API_VERSION,
            "kind": "Challenge",
            "metadata": {
                "name": called,
                "namespace": namespace(order),
                "ownerReferences": [owner(order, ACME_API_VERSION, "Order")],
            },
            "spec": {
                "authorizationURL": f"{base}/authz/{digest(token)}",
                "dnsName": host,
                "issuerRef": order["spec"]["issuerRef"],
                "key": http01.key_authorization(token, key),
                "solver": dict(http01.solver_for(issuer, host) or {}),
                "token": token,
                "type": "HTTP-01",
                "url": f"{base}/chall/{digest(token)}",
                "wildcard": False,
            },
        }
        made = await self._api.post(inside(CHALLENGES, namespace(order)), body)
        text = f'Created Challenge resource "{called}" for domain "{host}"'
        await event(self._api, order, "Order", "Created", text)
        return made

    async def _settle_challenge(self, challenge: Object) -> None:
        if status(challenge).get("state") == "valid":
            return
        spec = challenge["spec"]
        host, token = spec["dnsName"], spec["token"]
        if _class_of(spec["solver"]) == INGRESS_CLASS and self._challenges.present(host, token, spec["key"]):
            self._presented()
        if not status(challenge).get("presented"):
            text = "Presented challenge using HTTP-01 challenge mechanism"
            await event(self._api, challenge, "Challenge", "Presented", text)
        trouble = await http01.check(self._client, self._resolve, host, token, spec["key"])
        if trouble is not None:
            await save_status(
                self._api,
                CHALLENGES,
                challenge,
                state="pending",
                processing=True,
                presented=True,
                reason=f"Waiting for HTTP-01 challenge propagation: {trouble}",
            )
            return
        await save_status(
            self._api,
            CHALLENGES,
            challenge,
            state="valid",
            processing=False,
            presented=False,
            reason="Successfully authorized domain",
        )
        text = f'Domain "{host}" verified with "HTTP-01" validation'
        await event(self._api, challenge, "Challenge", "DomainVerified", text)

    async def _finish(self, order: Object, issuer: Known, made: list[Object]) -> None:
        asked = base64.b64decode(order["spec"]["request"]).decode()
        seconds = LIFE
        if issuer["spec"]["acme"].get("enableDurationFeature") and order["spec"].get("duration"):
            seconds = policies.duration(order["spec"]["duration"]).total_seconds()
        chain = self._authority.sign(asked, seconds=seconds)
        encoded = base64.b64encode(chain.encode()).decode()
        await save_status(self._api, ORDERS, order, state="valid", certificate=encoded, reason=None)
        text = "Order completed successfully"
        await event(self._api, order, "Order", "Complete", text)
        for challenge in made:
            await self._api.delete(place(CHALLENGES, challenge))


def _unsolvable(issuer: Known, hosts: list[str]) -> str | None:
    for host in hosts:
        solver = http01.solver_for(issuer, host)
        if host.startswith("*.") or solver is None or "http01" not in solver:
            return (
                f"no configured challenge solvers can be used for this challenge (of '{host}'; here it is "
                "solved by HTTP-01, which knows no wildcards)"
            )
        if "ingress" not in solver["http01"]:
            return f"the solver for '{host}' names no ingress"
    return None


def _class_of(solver: Mapping[str, Any]) -> str | None:
    ingress = (solver.get("http01") or {}).get("ingress") or {}
    found: str | None = ingress.get("ingressClassName") or ingress.get("class")
    return found
