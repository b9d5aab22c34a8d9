"""Remembers which resources were being created when an engine vanished.

The engine records a resource only after Create has answered. Killed in between, it leaves a resource that no
state knows, and the next run's Create would refuse it as foreign. So the provider, which outlives the engine,
notes what it is about to create for whom, until a later call shows that the engine knows of it; a Create that
finds its own note adopts the resource instead. The notes survive a restart of the provider.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path


class Journal:
    """What is being created for which URN, in a small JSON file that is rewritten whole at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._notes = self._load()

    def _load(self) -> dict[tuple[str, str], str]:
        try:
            notes = json.loads(self._path.read_text(encoding="utf-8"))
            return {(urn, resource_id.lower()): resource_id for urn, resource_id in notes}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            # A damaged journal only means that an orphan is refused, which names it.
            return {}

    def begin(self, urn: str, resource_id: str) -> bool:
        """Note a creation. True when there is a note already: an earlier run's, never heard of again."""
        note = (urn, resource_id.lower())
        with self._lock:
            if note in self._notes:
                return True
            self._notes[note] = resource_id
            self._save()
            return False

    def forget(self, urn: str, resource_id: str) -> None:
        """The engine knows the resource, or it was never made."""
        with self._lock:
            if self._notes.pop((urn, resource_id.lower()), None) is not None:
                self._save()

    def unfinished(self, urn: str) -> str | None:
        """The id under which a resource was being created, so that a made-up name can be made up again."""
        with self._lock:
            return next((found for (noted, _), found in self._notes.items() if noted == urn), None)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(sorted((urn, resource_id) for (urn, _), resource_id in self._notes.items()), file)
        Path(name).replace(self._path)
