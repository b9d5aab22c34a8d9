"""How each service words a failure of its own: the bodies and headers that its clients understand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

from sandbox.faults.model import Fault
from sandbox.names import Names

Shape = Callable[[Fault], Response]

#: ARM's codes by status. https://learn.microsoft.com/azure/azure-resource-manager/management/
_ARM_CODES = {409: "Conflict", 429: "TooManyRequests", 500: "InternalServerError", 503: "ServerBusy"}
_ARM_MESSAGES = {
    409: "The request conflicts with the current state of the resource.",
    429: "Number of requests for the subscription exceeded the limit. Please try again later.",
    500: "Encountered internal server error.",
    503: "The service is temporarily unavailable.",
}
_STORAGE_CODES = {409: "OperationNotAllowed", 500: "InternalError", 503: "ServerBusy"}
_DEFAULT_STATUS = 500


def arm(fault: Fault) -> Response:
    status = fault.status or _DEFAULT_STATUS
    return _coded(fault, _ARM_CODES.get(status, _phrase(status)), _ARM_MESSAGES.get(status))


def arm_error(fault: Fault) -> tuple[str, str]:
    """(code, message) with which an asynchronous operation ends."""
    return (
        fault.code or "InternalOperationError",
        fault.message or "An internal error occurred. The operation did not complete.",
    )


def openai(fault: Fault) -> Response:
    """Azure OpenAI's gateway has the status as its code."""
    status = fault.status or _DEFAULT_STATUS
    waits = f" Please retry after {fault.retry_after} seconds." if status == 429 else ""
    message = fault.message or f"{_phrase_text(status)}.{waits}"
    body = {"error": {"code": fault.code or str(status), "message": message}}
    headers = _waiting(fault)
    if headers:
        headers["retry-after-ms"] = str(fault.retry_after * 1000)
    return JSONResponse(body, status, headers)


def cosmos(fault: Fault) -> Response:
    """https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb"""
    status = fault.status or _DEFAULT_STATUS
    activity = str(uuid.uuid4())
    headers = {"x-ms-activity-id": activity, "x-ms-substatus": "3200" if status == 429 else "0"}
    if status == 429:
        headers["x-ms-retry-after-ms"] = str(fault.retry_after * 1000)
    message = fault.message or f"{_phrase_text(status)}. ActivityId: {activity}"
    return JSONResponse({"code": fault.code or _phrase(status), "message": message}, status, headers)


def storage(fault: Fault) -> Response:
    status = fault.status or _DEFAULT_STATUS
    code = fault.code or _STORAGE_CODES.get(status, _phrase(status))
    message = escape(fault.message or _phrase_text(status))
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{escape(code)}</Code>'
        f"<Message>{message}</Message></Error>"
    )
    headers = {"x-ms-error-code": code, **_waiting(fault)}
    return Response(text, status, headers, "application/xml")


def registry(fault: Fault) -> Response:
    """https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes"""
    status = fault.status or _DEFAULT_STATUS
    code = fault.code or ("TOOMANYREQUESTS" if status == 429 else "UNKNOWN")
    body = {"errors": [{"code": code, "message": fault.message or _phrase_text(status)}]}
    return JSONResponse(body, status, _waiting(fault))


def service(fault: Fault) -> Response:
    """Most of Azure: `{"error": {"code", "message"}}`."""
    return _coded(fault, _phrase(fault.status or _DEFAULT_STATUS), None)


#: Name of a data plane -> (hosts below the sandbox's suffix, how it refuses).
PLANES: Mapping[str, tuple[tuple[str, ...], Shape]] = {
    "cosmos": (("documents",), cosmos),
    "eventgrid": (("eventgrid",), service),
    "insights": (("in.applicationinsights",), service),
    "keyvault": (("vault",), service),
    "openai": (("openai",), openai),
    "registry": (("azurecr",), registry),
    "storage": (("blob.storage", "queue.storage", "table.storage", "storage"), storage),
}


def plane_of(names: Names, host: str) -> str | None:
    """Which data plane a host name belongs to."""
    for plane, (labels, _) in PLANES.items():
        if any(host.endswith(f".{names.service(label)}") for label in labels):
            return plane
    return None


def _coded(fault: Fault, code: str, message: str | None) -> Response:
    status = fault.status or _DEFAULT_STATUS
    error = {
        "code": fault.code or code,
        "message": fault.message or message or f"{_phrase_text(status)}.",
    }
    return Response(json.dumps({"error": error}), status, _waiting(fault), "application/json")


def _waiting(fault: Fault) -> dict[str, str]:
    return {"Retry-After": str(fault.retry_after)} if fault.status in (429, 503) else {}


def _phrase_text(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _phrase(status: int) -> str:
    return _phrase_text(status).title().replace(" ", "")
