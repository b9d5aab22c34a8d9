"""Schemas by ARM type, derived once and kept as JSON under the cache folder.

The folder's name is a fingerprint of the packages the knowledge comes from and of the deriving code, so an
upgrade of either starts afresh. A file that cannot be read is derived again; a folder that cannot be written
costs time, not correctness.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from sandbox.config import Config, invoking_user
from sandbox.types import table
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema

log = logging.getLogger(__name__)

#: Seconds that schemas of other versions are kept: two checkouts may share a cache.
_KEPT = 7 * 24 * 3600
_PREFIXES = ("azure-mgmt-", "pulumi-azure-native")
#: CPython 3.11 counts the depth of syntax trees for all threads together: two that parse at once fail.
_DERIVING = threading.Lock()


def fingerprint() -> str:
    """What the schemas depend on, as 16 hex digits."""
    digest = hashlib.sha256()
    versions = {f"{item.name}=={item.version}" for item in distributions() if item.name.startswith(_PREFIXES)}
    digest.update("\n".join(sorted(versions)).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def folder() -> Path:
    return Config().cache / f"types-{fingerprint()}"


@cache
def schema(row: ArmType) -> Schema:
    """The schema of a row: from memory, else from the cache, else derived (up to seconds)."""
    path = folder() / f"{row.type.replace('/', '.')}.json"
    try:
        return Schema.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("the cached schema %s cannot be read (%s); deriving it again", path, error)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("the cached schema %s is damaged (%s); deriving it again", path, error)
    # Only here: the models and the SDK's sources are needed only when nothing is cached.
    from sandbox.types.derive import derive  # noqa: PLC0415

    with _DERIVING:
        made = derive(row)
    _write(path, json.dumps(made.to_json(), separators=(",", ":")))
    return made


def warm() -> int:
    """Derive whatever is not cached yet; the number of types. About ten seconds with a cold cache."""
    for row in table.ROWS:
        schema(row)
    return len(table.ROWS)


def _forget_old(folder: Path) -> None:
    """Remove schemas of versions that nobody has used for long."""
    for other in folder.parent.glob("types-*"):
        if time.time() - other.stat().st_mtime > _KEPT:
            shutil.rmtree(other, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Whole or not at all; owned by the user whose cache it is, though root may be writing."""
    try:
        if not path.parent.exists():
            _forget_old(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        if os.geteuid() == 0:
            owner = invoking_user()
            for item in (path.parent, Path(name)):
                shutil.chown(item, owner.pw_uid, owner.pw_gid)
        Path(name).replace(path)
    except OSError as error:
        log.warning("cannot keep the schema %s: %s", path, error)
