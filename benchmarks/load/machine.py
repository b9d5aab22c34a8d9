"""What a run was measured on: figures of two machines, or of a busy one, are not to be compared."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """`load` is the load average of the minute before the run: above `cores`, latencies are too long."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    load: float
    at: str

    @property
    def calm(self) -> bool:
        return self.load <= self.cores / 2


def describe() -> Machine:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(pages * size / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
