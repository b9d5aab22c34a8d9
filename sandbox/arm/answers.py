"""Answers of ARM: JSON with ETag, and the headers by which a client follows an asynchronous operation."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.arm.ids import parse
from sandbox.arm.operation import Answer
from sandbox.arm.resource import Resource


def etag(resource: Resource) -> dict[str, str]:
    value = resource.body.get("etag")
    return {"ETag": value} if isinstance(value, str) else {}


def respond(answer: object) -> Response:
    """What a handler's action or operation returned: a response as it is, an `Answer`, or a body."""
    if isinstance(answer, Response):
        return answer
    if not isinstance(answer, Answer):
        answer = Answer(204 if answer is None else 200, answer)
    headers = dict(answer.headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return JSONResponse(answer.body, answer.status, headers)


def polling(base: str, path: str, location: str | None, operation: str, api_version: str) -> dict[str, str]:
    """Where to ask for the operation that works on `path`; `base` is the URL of this ARM."""
    parsed = parse(path)
    region = location or "westeurope"
    root = f"{base}/subscriptions/{parsed.subscription}/providers/{parsed.namespace}/locations/{region}"
    query = f"{operation}?api-version={api_version}"
    return {
        "Azure-AsyncOperation": f"{root}/operationStatuses/{query}",
        "Location": f"{root}/operationResults/{query}",
        "Retry-After": "1",
    }
