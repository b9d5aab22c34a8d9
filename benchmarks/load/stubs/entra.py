"""Entra ID, as far as a workload identity needs it: where tokens are made, and one that nobody checks."""

from __future__ import annotations

from benchmarks.load.stubs.http import Answer, Request, answer_json

_LIFE_SECONDS = 86_400


def handle(request: Request) -> Answer | None:
    """The answer, or None when the request is for another service."""
    tenant = f"https://{request.header('host')}/{request.path.split('/')[1]}"
    if request.path.endswith("/.well-known/openid-configuration"):
        return answer_json(
            {
                "issuer": f"{tenant}/v2.0",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{tenant}/discovery/v2.0/keys",
            }
        )
    if request.path.endswith("/oauth2/v2.0/token"):
        return answer_json({"token_type": "Bearer", "access_token": "stub", "expires_in": _LIFE_SECONDS})
    return None
