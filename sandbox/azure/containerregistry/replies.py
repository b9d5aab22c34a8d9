"""The registry API's error shape and authentication challenge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from sandbox.azure.containerregistry.grants import Grant


def error(
    status: int, code: str, message: str, *, detail: Any = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(
        {"errors": [{"code": code, "message": message, "detail": detail}]},
        status,
        headers=dict(headers or {}),
    )


def unauthorized(login_server: str, wanted: Grant | None = None, *, why: str | None = None) -> JSONResponse:
    """401 that tells a client where to get a token. `why` is `invalid_token` or `insufficient_scope`."""
    challenge = f'Bearer realm="https://{login_server}/oauth2/token",service="{login_server}"'
    if wanted is not None:
        challenge += f',scope="{wanted.scope()}"'
    if why is not None:
        challenge += f',error="{why}"'
    detail = wanted and [
        {"Type": wanted.type, "Name": wanted.name, "Action": a} for a in sorted(wanted.actions)
    ]
    return error(
        401,
        "UNAUTHORIZED",
        "authentication required, visit https://aka.ms/acr/authorization for more information.",
        detail=detail,
        headers={"WWW-Authenticate": challenge, "Docker-Distribution-Api-Version": "registry/2.0"},
    )


def disallowed() -> JSONResponse:
    """A locked repository, tag or manifest."""
    return error(
        405,
        "UNSUPPORTED",
        "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
        "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation",
    )
