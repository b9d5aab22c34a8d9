"""The faults in force, in the order in which they were asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sandbox.faults import model
from sandbox.faults.model import Effect, Fault

log = logging.getLogger(__name__)


class Faults:
    """Used from one event loop."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, given: dict[str, Any]) -> Fault:
        """Raises ValueError that says what is wrong."""
        fault = model.read(given)
        self._faults.append(fault)
        log.info("fault %d in force: %s", fault.number, fault.wire())
        return fault

    def clear(self, number: int | None = None) -> int:
        """Forget one, or all; how many were forgotten."""
        before = len(self._faults)
        self._faults = [one for one in self._faults if number is not None and one.number != number]
        return before - len(self._faults)

    def all(self) -> list[Fault]:
        return list(self._faults)

    def resource(self, method: str, type_name: str, name: str, *effects: Effect) -> Fault | None:
        """The first fault with one of these effects that hits a resource's request; it is used up once."""
        return self._take(effects, lambda fault: fault.hits_resource(method, type_name, name))

    def request(self, plane: str, method: str, host: str, path: str) -> Fault | None:
        """The first fault that hits a request to a data plane; it is used up once."""
        return self._take(
            ("status", "hang", "cut"), lambda fault: fault.hits_request(plane, method, host, path)
        )

    def _take(self, effects: tuple[Effect, ...], hits: Callable[[Fault], bool]) -> Fault | None:
        for fault in self._faults:
            if fault.effect in effects and hits(fault):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                log.info("fault %d hits", fault.number)
                return fault
        return None
