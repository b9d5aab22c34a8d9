"""Steady requests to an agent: some clients keep their connections, others use each one once."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

_EXECUTION = {"input": {"channel": "teams", "recipient": "ops", "message": "Queue is growing"}}
#: Seconds between two requests of a caller; seconds that an answer may take.
_PAUSE, _PATIENCE = 0.5, 60.0


class Traffic:
    """Runs while it is entered. `failures` are all answers but 200, and requests without one, in words.

    `providers` counts who answered executions, `slowest` is the longest that anybody waited, in seconds.
    """

    def __init__(
        self, url: str, ca_bundle: str, *, callers: int = 1, one_executes_in: int = 6, **headers: str
    ) -> None:
        """`url`: the agent's, such as `https://…/api/notification`. Raises HTTPError if it does not work.

        The model has a limit of tokens, so of a caller's requests only one in `one_executes_in` executes; the
        others read what was executed.
        """
        self.served, self.slowest = 0, 0.0
        self.failures: list[str] = []
        self.providers: Counter[str] = Counter()
        self._url, self._headers, self._one_in = url, _dashed(headers), one_executes_in
        self._context = ssl.create_default_context(cafile=ca_bundle)
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [
            threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(callers)
        ]
        with self._client() as client:
            self._execution: str = self._execute(client).raise_for_status().json()["id"]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_PATIENCE + 5)

    def _call(self, caller: int) -> None:
        keeps = caller % 2 == 1
        client = self._client()
        try:
            for number in itertools.count(caller):
                self._one(client, executes=number % self._one_in == 0)
                if self._stop.wait(_PAUSE):
                    return
                if not keeps:
                    client.close()
                    client = self._client()
        finally:
            client.close()

    def _one(self, client: httpx.Client, *, executes: bool) -> None:
        at, began = time.strftime("%H:%M:%S"), time.monotonic()
        try:
            answer = self._execute(client) if executes else self._read(client)
        except httpx.HTTPError as error:
            self._count(f"{at} {type(error).__name__}: {error}", began)
            return
        failure = "" if answer.status_code == httpx.codes.OK else f"{at} {answer.status_code} {answer.text}"
        self._count(failure, began, answer.headers.get("x-llm-provider"))

    def _count(self, failure: str, began: float, provider: str | None = None) -> None:
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            if failure:
                self.failures.append(failure[:300])
                return
            self.served += 1
            if provider:
                self.providers[provider] += 1

    def _client(self) -> httpx.Client:
        return httpx.Client(verify=self._context, timeout=_PATIENCE, headers=self._headers)

    def _execute(self, client: httpx.Client) -> httpx.Response:
        return client.post(f"{self._url}/execute", json=_EXECUTION)

    def _read(self, client: httpx.Client) -> httpx.Response:
        return client.get(f"{self._url}/executions/{self._execution}")


def _dashed(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
