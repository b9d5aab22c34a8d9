"""A run's log: a blob that grows, with the metadata `Complete` once nothing more will come.

Clients flush at CR LF, so that is how lines end.
"""

from __future__ import annotations

import time
from pathlib import Path

from sandbox.azure.containerregistry.folder import write_json
from sandbox.azure.containerregistry.tasks.storage import metadata_file


class Log:
    def __init__(self, file: Path) -> None:
        self._file = file

    def begin(self) -> None:
        """Start empty, also when a run that was cut off is run again."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        metadata_file(self._file).unlink(missing_ok=True)
        self._file.write_bytes(b"")

    def write(self, text: str) -> None:
        with self._file.open("ab") as stream:
            stream.write(text.rstrip("\r\n").encode(errors="replace") + b"\r\n")

    def say(self, text: str) -> None:
        """A line of the service's own, with its time."""
        self.write(f"{time.strftime('%Y/%m/%d %H:%M:%S', time.gmtime())} {text}")

    def complete(self, outcome: str) -> None:
        """`outcome` is what clients look for: successful, failed, canceled or timedout."""
        if not self._file.exists():
            self.begin()
        write_json(metadata_file(self._file), {"Complete": outcome})
