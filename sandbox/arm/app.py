"""ARM as an ASGI app: authenticate, find what the path means, have it done, answer in ARM's shapes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse
from sandbox.arm.matching import Matcher
from sandbox.arm.operation import Operation
from sandbox.arm.operations import internal
from sandbox.arm.request import Caller, api_version, read_body
from sandbox.arm.verbs import Verbs, no_method
from sandbox.services import Tokens

log = logging.getLogger(__name__)


class Arm:
    """`authority` is where a client without a token is sent; `operations` are matched before types."""

    def __init__(
        self,
        *,
        verbs: Verbs,
        operations: Sequence[Operation],
        tokens: Tokens,
        audiences: Sequence[str],
        authority: str,
    ) -> None:
        self._verbs = verbs
        self._matcher = Matcher(operations)
        self._tokens = tokens
        self._audiences = audiences
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        correlation = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        try:
            response = await self._answer(request, correlation)
        except ArmError as error:
            response = JSONResponse(error.body(), error.status, self._challenge(error))
        except Exception as error:
            # A defect must answer in ARM's shape too, with what is needed to find it in the log.
            log.exception("%s %s failed (correlation %s)", request.method, request.url.path, correlation)
            response = JSONResponse(internal(error).body(), 500)
        response.headers["x-ms-correlation-request-id"] = correlation
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        response.headers["Cache-Control"] = "no-cache"
        if request.method not in ("GET", "HEAD"):
            log.info(
                "%s %r: %d (correlation %s)", request.method, scope["path"], response.status_code, correlation
            )
        await response(scope, receive, send)

    async def _answer(self, request: Request, correlation: str) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ArmError(
                401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        query = dict(request.query_params)
        caller = Caller(
            method=request.method,
            path=request.scope["path"],
            principal=self._tokens.verify(token.strip(), self._audiences),
            api_version=api_version(query),
            base=f"{request.url.scheme}://{request.url.netloc}",
            query=query,
            headers=request.headers,
            correlation_id=correlation,
        )
        found = self._matcher.find(caller.method, caller.path)
        if found is not None:
            return await self._verbs.operate(*found, caller, await read_body(request))
        path = parse(caller.path)
        if caller.method in ("GET", "HEAD"):
            return await self._verbs.read(path, caller)
        if caller.method == "POST":
            return await self._verbs.act(path, caller, await read_body(request))
        if caller.method not in ("PUT", "PATCH", "DELETE") or not path.is_resource:
            raise no_method(caller)
        body = await read_body(request, required=caller.method != "DELETE")
        return await self._verbs.write(path.id, caller, body)

    def _challenge(self, error: ArmError) -> dict[str, str]:
        if error.status != 401:
            return {}
        described = error.message.replace('"', "'").replace("\n", " ")
        return {
            "WWW-Authenticate": f'Bearer authorization_uri="{self._authority}", error="invalid_token", '
            f'error_description="{described}"'
        }
