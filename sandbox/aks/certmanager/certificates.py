"""Certificates: a Secret each, issued when it is not what the spec asks for, and renewed in time."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509

from sandbox.aks.api import Api
from sandbox.aks.certmanager import keys, policies
from sandbox.aks.certmanager.objects import (
    API_VERSION,
    CERTIFICATES,
    REQUESTS,
    SECRETS,
    Known,
    Object,
    condition,
    event,
    inside,
    moment,
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
    with_condition,
)
from sandbox.aks.certmanager.policies import Finding

REVISION, KEY_SECRET = "cert-manager.io/certificate-revision", "cert-manager.io/private-key-secret-name"
_NEXT_KEY = "cert-manager.io/next-private-key"
_MANAGED = "controller.cert-manager.io/fao"
#: Requests kept of a certificate.
_HISTORY = 1
#: Waiting after failures: an hour, then twice as long each time, up to 32 hours.
_BACKOFF, _LONGEST = timedelta(hours=1), 5

#: (namespace, name) -> Secret.
Secrets = Mapping[tuple[str, str], Known]


class Certificates:
    """Those of one cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def settle(self, certificate: Object, secrets: Secrets, requests: Sequence[Object]) -> None:
        """Go on with a certificate, given its namespace's Secrets and CertificateRequests."""
        space, spec = namespace(certificate), certificate["spec"]
        mine = [one for one in requests if owned_by(one, certificate)]
        secret = secrets.get((space, spec["secretName"]))
        current = _of_revision(mine, status(certificate).get("revision", 0))
        finding = policies.due(certificate, secret, current, now())
        issuing = condition(certificate, "Issuing").get("status") == "True"
        if finding is not None and not issuing and self._may_try(certificate):
            await self._begin(certificate, finding)
            issuing = True
        if issuing:
            secret = await self._issue(certificate, secret, secrets, mine) or secret
            current = _of_revision(mine, status(certificate).get("revision", 0))
        await self._report(certificate, secret, current)

    @staticmethod
    def _may_try(certificate: Known) -> bool:
        """After a failure it waits, unless the spec changed since."""
        failed = status(certificate).get("lastFailureTime")
        seen = condition(certificate, "Issuing").get("observedGeneration")
        if failed is None or seen != certificate["metadata"].get("generation"):
            return True
        attempts = int(status(certificate).get("failedIssuanceAttempts", 1))
        return now() >= moment(failed) + _BACKOFF * (1 << min(attempts - 1, _LONGEST))

    async def _begin(self, certificate: Object, finding: Finding) -> None:
        conditions = with_condition(certificate, "Issuing", "True", finding.reason, finding.message)
        await save_status(self._api, CERTIFICATES, certificate, conditions=conditions)
        await self._say(certificate, "Issuing", finding.message)

    async def _issue(
        self, certificate: Object, secret: Known | None, secrets: Secrets, requests: Sequence[Object]
    ) -> Object | None:
        """One step: a key, a request, or the Secret once the request is answered."""
        held = await self._next_key(certificate, secret, secrets)
        key = keys.load(policies.data(held, "tls.key"))
        number = status(certificate).get("revision", 0) + 1
        request = _of_revision(requests, number)
        if request is not None and (
            policies.request_violations(request, certificate["spec"]) or not _made_with(request, key)
        ):
            await self._api.delete(place(REQUESTS, request))
            return None
        if request is None:
            await self._request(certificate, held, key, number)
            return None
        ready = condition(request, "Ready")
        if ready.get("reason") in ("Failed", "Denied"):
            await self._failed(certificate, ready)
            await self._forget_key(certificate, held)
            return None
        if ready.get("status") != "True":
            return None
        made = await self._store(certificate, secret, policies.data(held, "tls.key"), request)
        await self._issued(certificate, number)
        await self._forget_key(certificate, held)
        await self._forget_requests(certificate, requests)
        return made

    async def _next_key(self, certificate: Object, secret: Known | None, secrets: Secrets) -> Known:
        """The Secret with the key of the next revision."""
        space, wanted = namespace(certificate), certificate["spec"].get("privateKey") or {}
        known = secrets.get((space, status(certificate).get("nextPrivateKeySecretName", "")))
        if known is not None and _usable(known, wanted):
            return known
        kept = secret is not None and wanted.get("rotationPolicy") == "Never" and _usable(secret, wanted)
        pem = policies.data(secret or {}, "tls.key").decode() if kept else keys.generate(wanted)
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "generateName": f"{name(certificate)}-",
                "namespace": space,
                "labels": {_NEXT_KEY: "true", _MANAGED: "true"},
                "ownerReferences": [owner(certificate, API_VERSION, "Certificate")],
            },
            "type": "Opaque",
            "data": {"tls.key": base64.b64encode(pem.encode()).decode()},
        }
        made = await self._api.post(inside(SECRETS, space), body)
        await save_status(self._api, CERTIFICATES, certificate, nextPrivateKeySecretName=name(made))
        if kept:
            kept_in = certificate["spec"]["secretName"]
            text = f'Reusing private key stored in existing Secret resource "{kept_in}"'
            await self._say(certificate, "Reused", text)
        else:
            text = f'Stored new private key in temporary Secret resource "{name(made)}"'
            await self._say(certificate, "Generated", text)
        return made

    async def _request(self, certificate: Object, held: Known, key: keys.Key, number: int) -> None:
        spec, space = certificate["spec"], namespace(certificate)
        asked: Object = {
            "request": base64.b64encode(keys.request(spec, key).encode()).decode(),
            "issuerRef": dict(zip(("name", "kind", "group"), policies.issuer(spec), strict=True)),
        }
        asked |= {field: spec[field] for field in ("duration", "usages") if spec.get(field)}
        called = f"{name(certificate)}-{number}"
        body = {
            "apiVersion": API_VERSION,
            "kind": "CertificateRequest",
            "metadata": {
                "name": called,
                "namespace": space,
                "annotations": {
                    policies.CERTIFICATE_NAME: name(certificate),
                    REVISION: str(number),
                    KEY_SECRET: name(held),
                },
                "ownerReferences": [owner(certificate, API_VERSION, "Certificate")],
            },
            "spec": asked,
        }
        # One of that name which is not for this revision's key stands in the way.
        await self._api.delete(f"{inside(REQUESTS, space)}/{called}")
        await self._api.post(inside(REQUESTS, space), body)
        text = f'Created new CertificateRequest resource "{called}"'
        await self._say(certificate, "Requested", text)

    async def _store(self, certificate: Object, secret: Known | None, key: bytes, request: Known) -> Object:
        """Write key and chain into the certificate's Secret."""
        chain = base64.b64decode(status(request)["certificate"])
        spec, space = certificate["spec"], namespace(certificate)
        template = spec.get("secretTemplate") or {}
        held = x509.load_pem_x509_certificates(chain)[0]
        issuer, kind, group = policies.issuer(spec)
        notes = {
            **(template.get("annotations") or {}),
            "cert-manager.io/alt-names": ",".join(sorted(keys.names_of(held))),
            "cert-manager.io/common-name": keys.common_name(held),
            "cert-manager.io/ip-sans": "",
            "cert-manager.io/uri-sans": "",
            policies.CERTIFICATE_NAME: name(certificate),
            policies.ISSUER_NAME: issuer,
            policies.ISSUER_KIND: kind,
            policies.ISSUER_GROUP: group,
        }
        labels = {**(template.get("labels") or {}), _MANAGED: "true"}
        data = {"tls.crt": chain, "tls.key": key}
        encoded = {field: base64.b64encode(value).decode() for field, value in data.items()}
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": spec["secretName"],
                "namespace": space,
                "annotations": notes,
                "labels": labels,
            },
            "type": "kubernetes.io/tls",
            "data": encoded,
        }
        if secret is None:
            return await self._api.post(inside(SECRETS, space), body)
        changes = {"metadata": {"annotations": notes, "labels": labels}, "data": encoded}
        return await self._api.patch(place(SECRETS, secret), changes)

    async def _issued(self, certificate: Object, number: int) -> None:
        kept = [dict(one) for one in status(certificate)["conditions"] if one["type"] != "Issuing"]
        await save_status(
            self._api,
            CERTIFICATES,
            certificate,
            revision=number,
            conditions=kept,
            lastFailureTime=None,
            failedIssuanceAttempts=None,
        )
        await self._say(certificate, "Issuing", "The certificate has been successfully issued")

    async def _failed(self, certificate: Object, ready: Known) -> None:
        text = f"The certificate request has failed to complete and will be retried: {ready['message']}"
        await save_status(
            self._api,
            CERTIFICATES,
            certificate,
            conditions=with_condition(certificate, "Issuing", "False", ready["reason"], text),
            lastFailureTime=stamp(now()),
            failedIssuanceAttempts=status(certificate).get("failedIssuanceAttempts", 0) + 1,
        )
        await self._say(certificate, ready["reason"], text, warning=True)

    async def _forget_key(self, certificate: Object, held: Known) -> None:
        await save_status(self._api, CERTIFICATES, certificate, nextPrivateKeySecretName=None)
        await self._api.delete(place(SECRETS, held))

    async def _forget_requests(self, certificate: Known, requests: Sequence[Object]) -> None:
        """Keep those of the last revisions (`revisionHistoryLimit`)."""
        kept = certificate["spec"].get("revisionHistoryLimit") or _HISTORY
        for request in requests:
            if int(notes_of(request).get(REVISION, 0)) <= status(certificate)["revision"] - kept:
                await self._api.delete(place(REQUESTS, request))

    async def _report(self, certificate: Object, secret: Known | None, current: Known | None) -> None:
        """Ready, and the times of what is in the Secret."""
        finding = policies.unready(certificate, secret, current, now())
        if finding is None:
            text = "Certificate is up to date and has not expired"
            conditions = with_condition(certificate, "Ready", "True", "Ready", text)
        else:
            conditions = with_condition(certificate, "Ready", "False", finding.reason, finding.message)
        times: dict[str, str | None] = dict.fromkeys(("notBefore", "notAfter", "renewalTime"))
        if secret is not None and (held := _held(secret)) is not None:
            renewal = policies.renewal_time(held, certificate["spec"])
            times = {
                "notBefore": stamp(held.not_valid_before_utc),
                "notAfter": stamp(held.not_valid_after_utc),
                "renewalTime": stamp(renewal) if renewal else None,
            }
        await save_status(self._api, CERTIFICATES, certificate, conditions=conditions, **times)

    async def _say(self, certificate: Known, reason: str, message: str, *, warning: bool = False) -> None:
        await event(self._api, certificate, "Certificate", reason, message, warning=warning)


def _of_revision(requests: Sequence[Object], number: int) -> Object | None:
    return next((one for one in requests if notes_of(one).get(REVISION) == str(number)), None)


def _usable(secret: Known, wanted: Mapping[str, Any]) -> bool:
    """Whether a Secret's key is as a spec wants it."""
    try:
        return not keys.violations(keys.load(policies.data(secret, "tls.key")), wanted)
    except ValueError:
        return False


def _made_with(request: Known, key: keys.Key) -> bool:
    asked = x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"]))
    return bool(asked.public_key() == key.public_key())


def _held(secret: Known) -> x509.Certificate | None:
    try:
        return policies.leaf(secret)
    except ValueError:
        return None
