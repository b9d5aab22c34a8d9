"""The one thing that a killed PostgreSQL leaves outside its folder: a small segment of shared memory.

Its next start removes it; of a cluster that never starts again somebody else has to.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

_SEGMENTS = Path("/proc/sysvipc/shm")


def forget(data: Path) -> None:
    """Remove the segment that the ended cluster in `data` left, if it was killed and did."""
    lines = _lines(data / "postmaster.pid")
    # The process, and in the seventh line the segment's key and number.
    if len(lines) < 7 or len(lines[6].split()) != 2:
        return
    pid, number = lines[0].strip(), lines[6].split()[1]
    for line in _lines(_SEGMENTS)[1:]:
        fields = line.split()
        _, found, _, _, creator, _, attached = fields[:7]
        if (found, creator, attached) == (number, pid, "0"):
            subprocess.run(["ipcrm", "--shmem-id", number], capture_output=True, check=False)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
