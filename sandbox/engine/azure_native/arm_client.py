"""ARM over HTTP: one request with retries, and long-running operations followed to their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.engine.azure_native.auth import Tokens
from sandbox.engine.plug import CancelledError

_RETRY = {408, 429, 502, 503, 504}
#: With the pauses between them these bridge half a minute, in which a cloud that was restarted is back.
_ATTEMPTS = 10
#: A service's own failure is tried again as often as the Azure SDK for Go does.
_INTERNAL, _INTERNAL_ATTEMPTS = 500, 4
#: Seconds between two polls where ARM does not say: quickly at first, for what is nearly done.
_FIRST, _LONGEST = 0.5, 10.0
_TERMINAL = {"succeeded", "failed", "canceled", "cancelled"}

Sleep = Callable[[float], None]


@dataclass
class RefusedError(Exception):
    """ARM said no. `target` is the wire path of the property at fault."""

    status: int
    code: str
    message: str
    target: str | None = None
    details: list[RefusedError] = field(default_factory=list)

    def __str__(self) -> str:
        return f'Status={self.status} Code="{self.code}" Message="{self.message}"'


def patient(sleep: Sleep, seconds: float) -> Sleep:
    """A sleep that gives up when more than `seconds` would have passed since now; 0 is no limit."""
    if not seconds:
        return sleep
    end = time.monotonic() + seconds

    def wait(delay: float) -> None:
        if time.monotonic() + delay > end:
            raise CancelledError(f"not done within {seconds:.0f} s")
        sleep(delay)

    return wait


@dataclass(frozen=True)
class ArmClient:
    """Requests to one Resource Manager with one identity. `sleep` may raise to interrupt."""

    http: httpx.Client
    url: str
    tokens: Tokens
    sleep: Sleep = time.sleep
    #: Domain below which vaults have their names.
    vaults: str = "vault.azure.net"

    def send(
        self,
        method: str,
        path: str,
        api_version: str | None,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        *,
        audience: str | None = None,
    ) -> httpx.Response:
        """One request; 429 and passing failures are repeated. Raises RefusedError for any other refusal.

        `path` may be a whole URL; `audience` is whose token it takes if not ARM's.
        """
        url = path if path.startswith("https://") else f"{self.url}{path}"
        params = {**({"api-version": api_version} if api_version else {}), **(query or {})}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = self._once(method, url, params, body, audience)
            except httpx.TransportError as error:
                if attempt == _ATTEMPTS:
                    raise RefusedError(
                        0, "NoAnswer", f"{url} does not answer: {error}. Is the cloud up?"
                    ) from error
                self.sleep(_delay(None, attempt))
                continue
            if response.status_code == 401 and attempt == 1:
                self.tokens.forget()
                continue
            internal = response.status_code == _INTERNAL and attempt < _INTERNAL_ATTEMPTS
            if not internal and (response.status_code not in _RETRY or attempt == _ATTEMPTS):
                break
            self.sleep(_delay(response, attempt))
        if response.status_code >= 400:
            raise failure(response)
        return response

    def _once(
        self, method: str, url: str, params: Mapping[str, str], body: Any, audience: str | None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens.get(audience)}"}
        return self.http.request(method, url, params=params or None, json=body, headers=headers)

    def get(self, path: str, api_version: str) -> dict[str, Any] | None:
        """The resource, or None where there is none."""
        try:
            return json_of(self.send("GET", path, api_version))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def finish(
        self, response: httpx.Response, path: str, api_version: str, *, deleting: bool = False
    ) -> None:
        """Wait until what `response` accepted is done. Raises RefusedError with the operation's own error."""
        operation = response.headers.get("Azure-AsyncOperation") or response.headers.get("Operation-Location")
        location = response.headers.get("Location")
        if operation:
            self._follow_operation(operation, response)
        elif location and response.status_code == 202:
            self._follow_location(location, response)
        elif not deleting:
            self._follow_state(response, path, api_version)

    def _follow_operation(self, url: str, response: httpx.Response) -> None:
        attempt = 0
        while True:
            attempt += 1
            self.sleep(_delay(response, attempt))
            response = self.send("GET", url, None)
            told = json_of(response)
            status = str(told.get("status", "")).lower()
            if status == "succeeded":
                return
            if status in _TERMINAL:
                raise _operation_failure(told.get("error"), status)

    def _follow_location(self, url: str, response: httpx.Response) -> None:
        attempt = 0
        while response.status_code == 202:
            attempt += 1
            self.sleep(_delay(response, attempt))
            url = response.headers.get("Location") or url
            response = self.send("GET", url, None)

    def _follow_state(self, response: httpx.Response, path: str, api_version: str) -> None:
        attempt = 0
        while True:
            properties = json_of(response).get("properties")
            state = properties.get("provisioningState") if isinstance(properties, Mapping) else None
            if state is None or str(state).lower() == "succeeded":
                return
            if str(state).lower() in _TERMINAL:
                raise RefusedError(
                    200, f"Provisioning{state}", f"The resource's provisioningState is '{state}'."
                )
            attempt += 1
            self.sleep(_delay(response, attempt))
            response = self.send("GET", path, api_version)


def _delay(response: httpx.Response | None, attempt: int) -> float:
    """Seconds until the next try: what Retry-After says, else growing."""
    told = response.headers.get("Retry-After", "") if response is not None else ""
    if told.isdigit():
        return float(told)
    return min(_FIRST * 1.5 ** (attempt - 1), _LONGEST)


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The body as an object; empty for none."""
    if not response.content:
        return {}
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"value": found}


def failure(response: httpx.Response) -> RefusedError:
    """What an error response says, in ARM's shape or not."""
    error = json_of(response).get("error")
    if isinstance(error, Mapping):
        return _parse(response.status_code, error)
    text = error if isinstance(error, str) else response.text[:500]
    return RefusedError(response.status_code, response.reason_phrase, text or "no message")


def _operation_failure(error: Any, status: str) -> RefusedError:
    if isinstance(error, Mapping):
        return _parse(200, error)
    return RefusedError(200, "OperationNotSucceeded", f"the operation ended as '{status}'")


def _parse(status: int, error: Mapping[str, Any]) -> RefusedError:
    details = [_parse(status, item) for item in error.get("details") or [] if isinstance(item, Mapping)]
    message = str(error.get("message", ""))
    return RefusedError(status, str(error.get("code", "")), message, error.get("target"), details)
