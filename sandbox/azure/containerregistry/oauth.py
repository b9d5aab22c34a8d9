"""`/oauth2/exchange` and `/oauth2/token`: from an Entra token to one that the registry API takes.

Source: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure.containerregistry import grants, replies
from sandbox.azure.containerregistry.callers import ANONYMOUS, Caller, Gate, RefusedError, basic


def _denied(message: str) -> Response:
    return replies.error(401, "UNAUTHORIZED", message)


async def exchange(gate: Gate, request: Request) -> Response:
    """POST: an Entra access token (or a refresh token that is still good) for a refresh token."""
    form = await request.form()
    grant_type = str(form.get("grant_type", ""))
    if grant_type not in {"access_token", "access_token_refresh_token"}:
        return replies.error(400, "UNSUPPORTED", f"the grant type '{grant_type}' is not supported here")
    try:
        caller = gate.from_entra(str(form.get("access_token", "")))
    except RefusedError as refused:
        return _denied(str(refused))
    if not gate.has_access(caller):
        return _denied(f"the principal {caller.object_id} has no role on this registry")
    return JSONResponse({"refresh_token": gate.tokens.refresh(caller.subject)})


def _from_form(gate: Gate, form: Mapping[str, object]) -> Caller:
    grant_type = form.get("grant_type")
    if grant_type == "refresh_token":
        return gate.from_refresh_token(str(form.get("refresh_token", "")))
    if grant_type == "password":
        return gate.from_password(str(form.get("username", "")), str(form.get("password", "")))
    if grant_type == "access_token":
        return gate.from_entra(str(form.get("access_token", "")))
    raise RefusedError(f"the grant type '{grant_type}' is not supported here")


def _from_header(gate: Gate, request: Request) -> Caller:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return ANONYMOUS
    if scheme.lower() != "basic":
        raise RefusedError(f"the authorization scheme '{scheme}' is not supported here")
    return gate.from_password(*basic(value))


async def token(gate: Gate, request: Request) -> Response:
    """GET (with Basic credentials or none) and POST (OAuth2 form): an access token for the scopes asked for.

    A token holds what the caller's roles give now. When that is nothing of what was asked for, the answer is
    401, which clients report as a failed authorization.
    """
    try:
        if request.method == "POST":
            form = await request.form()
            scopes = [str(value) for value in form.getlist("scope")]
            caller = _from_form(gate, dict(form))
        else:
            scopes = request.query_params.getlist("scope")
            caller = _from_header(gate, request)
        wanted = grants.parse(scopes)
    except RefusedError as refused:
        return _denied(str(refused))
    except ValueError as invalid:
        return replies.error(400, "UNSUPPORTED", str(invalid))
    given = gate.granted(caller, wanted)
    if (wanted and not given) or not gate.has_access(caller):
        return _denied(
            f"{caller.subject} has no role on this registry that gives {' '.join(scopes) or 'access'}"
        )
    return JSONResponse({"access_token": gate.tokens.access(caller.subject, given)})
