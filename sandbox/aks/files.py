"""Files of a cluster: written whole or not at all, so that a kill leaves the old one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml


def write(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Replace `path` by `text`; False when it already says so."""
    if path.is_file() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def write_yaml(path: Path, document: Any, *, mode: int = 0o644) -> bool:
    return write(path, yaml.safe_dump(document, sort_keys=False), mode=mode)


def revision(*paths: Path) -> str:
    """A short digest of the files' contents. Put into a program's environment, it restarts the program
    when one of them changed."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
