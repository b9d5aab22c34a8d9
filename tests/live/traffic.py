"""A steady trickle of requests to an agent, as from many clients: no connection is used twice."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx

_EXECUTION = {"input": {"channel": "teams", "recipient": "ops", "message": "Queue is growing"}}
#: Seconds between two requests; seconds that an answer may take.
_PAUSE, _PATIENCE = 0.5, 60.0
#: One of so many requests executes, the others read what was executed: the model has a limit of tokens.
_EXECUTES = 6


class Traffic:
    """Runs while it is entered. `failures` are all answers but 200, and requests without one, in words."""

    def __init__(self, url: str, ca_bundle: str) -> None:
        """`url`: the agent's, such as `https://…/api/notification`. Raises HTTPError if it does not work."""
        self.served = 0
        self.failures: list[str] = []
        self._url = url
        self._context = ssl.create_default_context(cafile=ca_bundle)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._execution: str = self._execute().raise_for_status().json()["id"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE + 5)

    def _send(self) -> None:
        for number in itertools.count():
            self._one(executes=number % _EXECUTES == 0)
            if self._stop.wait(_PAUSE):
                return

    def _one(self, *, executes: bool) -> None:
        started = time.strftime("%H:%M:%S")
        try:
            answer = self._execute() if executes else self._read()
        except httpx.HTTPError as error:
            self.failures.append(f"{started} {type(error).__name__}: {error}")
            return
        if answer.status_code == httpx.codes.OK:
            self.served += 1
        else:
            self.failures.append(f"{started} {answer.status_code} {answer.text[:300]}")

    def _execute(self) -> httpx.Response:
        return self._request("POST", "execute", json=_EXECUTION)

    def _read(self) -> httpx.Response:
        return self._request("GET", f"executions/{self._execution}")

    def _request(self, method: str, path: str, **body: Any) -> httpx.Response:
        return httpx.request(method, f"{self._url}/{path}", verify=self._context, timeout=_PATIENCE, **body)
