"""A steady trickle of executions, as from many clients: no connection is used twice."""

from __future__ import annotations

import ssl
import threading
import time
from types import TracebackType
from typing import Self

import httpx

_EXECUTION = {"input": {"channel": "teams", "recipient": "ops", "message": "Queue is growing"}}
#: Seconds between two requests; seconds that an answer may take.
_PAUSE, _PATIENCE = 0.5, 60.0


class Traffic:
    """Runs while it is entered. `failures` are all answers but 200, and requests without one, in words."""

    def __init__(self, url: str, ca_bundle: str) -> None:
        self.served = 0
        self.failures: list[str] = []
        self._url = url
        self._context = ssl.create_default_context(cafile=ca_bundle)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE + 5)

    def _send(self) -> None:
        while not self._stop.is_set():
            self._one()
            self._stop.wait(_PAUSE)

    def _one(self) -> None:
        started = time.strftime("%H:%M:%S")
        try:
            answer = httpx.post(self._url, json=_EXECUTION, verify=self._context, timeout=_PATIENCE)
        except httpx.HTTPError as error:
            self.failures.append(f"{started} {type(error).__name__}: {error}")
            return
        if answer.status_code == 200:
            self.served += 1
        else:
            self.failures.append(f"{started} {answer.status_code} {answer.text[:300]}")
