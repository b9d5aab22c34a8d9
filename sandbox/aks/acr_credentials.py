"""The kubelet's image credential provider for Azure registries: a program, run once per image pull.

Reads a CredentialProviderRequest, answers a CredentialProviderResponse (kubelet's API
credentialprovider.kubelet.k8s.io/v1). Standard library only.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

METADATA = "http://169.254.169.254/metadata/identity/oauth2/token"
#: The user name that goes with a registry's refresh token.
USER = "00000000-0000-0000-0000-000000000000"
_SECONDS = 10


def _json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        words = error.read().decode(errors="replace")[:500]
        raise SystemExit(f"{request.full_url.partition('?')[0]} answered {error.code}: {words}") from error
    except OSError as error:
        raise SystemExit(f"{request.full_url.partition('?')[0]} cannot be reached: {error}") from error


def identity_token(audience: str) -> str:
    """An access token of the node's kubelet identity."""
    query = urllib.parse.urlencode({"api-version": "2018-02-01", "resource": audience})
    request = urllib.request.Request(f"{METADATA}?{query}", headers={"Metadata": "true"})  # noqa: S310
    return str(_json(request)["access_token"])


def refresh_token(registry: str, access_token: str) -> str:
    """What the registry gives for the identity's token."""
    form = {"grant_type": "access_token", "service": registry, "access_token": access_token}
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"https://{registry}/oauth2/exchange", data=data)
    return str(_json(request)["refresh_token"])


def respond(image: str) -> dict[str, Any]:
    registry = image.partition("/")[0]
    suffix = registry.partition(".azurecr.")[2]
    token = refresh_token(registry, identity_token(f"https://management.{suffix}/"))
    return {
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry",
        "cacheDuration": "10m",
        "auth": {registry: {"username": USER, "password": token}},
    }


if __name__ == "__main__":
    json.dump(respond(json.load(sys.stdin)["image"]), sys.stdout)
