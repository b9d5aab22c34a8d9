"""The agents' public API, as a caller has it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

#: Seconds that an answer may take, a model's time-out and some; and that a connection may.
_PATIENCE, _CONNECT_SECONDS = 60.0, 3.0


class Agents:
    """One client for many threads. Raises httpx.HTTPError where nothing answers."""

    def __init__(self, url: str, ca_bundle: str) -> None:
        """`url` is the stack's output `agentsUrl`."""
        context = ssl.create_default_context(cafile=ca_bundle)
        # Each request connects anew: what was connected before a disaster says nothing about after it.
        limits = httpx.Limits(max_keepalive_connections=0)
        patience = httpx.Timeout(_PATIENCE, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(base_url=f"{url}/api", verify=context, timeout=patience, limits=limits)

    def close(self) -> None:
        self._http.close()

    def execute(self, agent: str, correlation: str, given: Mapping[str, Any]) -> httpx.Response:
        """Run once: sent again under the same correlation it is answered with what was stored."""
        headers = {"x-correlation-id": correlation, "idempotency-key": correlation}
        return self._http.post(f"/{agent}/execute", json={"input": given}, headers=headers)

    def reads(self, agent: str, execution: str) -> bool:
        """Whether an execution can be read now."""
        try:
            return self.read(agent, execution).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def read(self, agent: str, execution: str) -> httpx.Response:
        return self._http.get(f"/{agent}/executions/{execution}")
