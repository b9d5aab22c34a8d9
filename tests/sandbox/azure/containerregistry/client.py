"""A small client of the registry API, doing what docker and containerd do: challenge, token, blobs, "
"manifest."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
from pathlib import Path

import httpx

from tests.sandbox.azure.fakes import token

ARM = "https://management.azure.test"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
REFRESH_USER = "00000000-0000-0000-0000-000000000000"


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class RegistryClient:
    def __init__(self, host: str, ca: Path, principal: str | None = None) -> None:
        self.http = httpx.Client(
            base_url=f"https://{host}",
            verify=ssl.create_default_context(cafile=str(ca)),
            timeout=30,
            headers={"Accept": f"{MANIFEST}, */*"},
        )
        self.host = host
        self.basic: tuple[str, str] | None = None
        if principal is not None:
            form = {"grant_type": "access_token", "service": host, "access_token": token(principal, ARM)}
            answer = self.http.post("/oauth2/exchange", data=form)
            answer.raise_for_status()
            self.basic = (REFRESH_USER, answer.json()["refresh_token"])

    def _headers(self, challenge: str) -> dict[str, str]:
        realm, service, scope = (
            re.search(f'{k}="([^"]*)"', challenge) for k in ("realm", "service", "scope")
        )
        assert realm
        assert service
        params = {"service": service[1], **({"scope": scope[1]} if scope else {})}
        headers = {}
        if self.basic:
            pair = base64.b64encode(":".join(self.basic).encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        answer = self.http.get(realm[1], params=params, headers=headers)
        if answer.status_code != 200:
            return {}
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def request(self, method: str, path: str, **given: object) -> httpx.Response:
        """A request, repeated with a token when the registry asks for one."""
        answer = self.http.request(method, path, **given)  # type: ignore[arg-type]
        if answer.status_code != 401:
            return answer
        headers = {**(given.pop("headers", None) or {}), **self._headers(answer.headers["www-authenticate"])}  # type: ignore[dict-item]
        return self.http.request(method, path, headers=headers, **given)  # type: ignore[arg-type]

    def upload(self, repository: str, content: bytes) -> httpx.Response:
        started = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        if started.status_code != 202:
            return started
        location = httpx.URL(started.headers["location"]).copy_merge_params({"digest": digest(content)})
        return self.request("PUT", str(location), content=content)

    def push(self, reference: str, layer: bytes = b"layer") -> httpx.Response:
        """Push a one-layer image as `repository:tag`."""
        repository, _, tag = reference.partition(":")
        config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
        for blob in (config, layer):
            answer = self.upload(repository, blob)
            if answer.status_code != 201:
                return answer
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": digest(layer),
                    "size": len(layer),
                }
            ],
        }
        content = json.dumps(manifest)
        return self.request(
            "PUT", f"/v2/{repository}/manifests/{tag}", content=content, headers={"Content-Type": MANIFEST}
        )
