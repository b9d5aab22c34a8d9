"""What a registry holds, read from the files of its distribution registry.

The registry API lists repositories and tags only; manifests without a tag, times and sizes are known from the
file system driver's layout: `<repository>/_manifests/{revisions/sha256,tags}/…/link`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.azure.containerregistry.folder import Folder


def _time(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Tag:
    name: str
    digest: str
    created: str
    updated: str


@dataclass(frozen=True)
class Manifest:
    digest: str
    media_type: str
    config_media_type: str | None
    #: Bytes of the manifest, its configuration and its layers.
    size: int
    architecture: str | None
    os: str | None
    created: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Repositories:
    folder: Folder

    def names(self) -> list[str]:
        """Repositories that hold at least one manifest, in order."""
        root = self.folder.repositories
        found = (path.parent.relative_to(root).as_posix() for path in root.rglob("_manifests"))
        return sorted(name for name in found if next(self._digests(name), None) is not None)

    def exists(self, name: str) -> bool:
        return next(self._digests(name), None) is not None

    def _manifests(self, name: str) -> Path:
        return self.folder.repositories / name / "_manifests"

    def _digests(self, name: str) -> Iterator[str]:
        for path in sorted((self._manifests(name) / "revisions" / "sha256").glob("*/link")):
            yield path.read_text().strip()

    def digest(self, name: str, tag: str) -> str | None:
        try:
            return (self._manifests(name) / "tags" / tag / "current" / "link").read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def tags(self, name: str) -> list[Tag]:
        tags = []
        for path in sorted((self._manifests(name) / "tags").glob("*/current/link")):
            first = min(
                (path.parents[1] / "index").rglob("link"), key=lambda p: p.stat().st_mtime, default=path
            )
            tags.append(Tag(path.parents[1].name, path.read_text().strip(), _time(first), _time(path)))
        return tags

    def manifests(self, name: str) -> list[Manifest]:
        names: dict[str, list[str]] = {}
        for tag in self.tags(name):
            names.setdefault(tag.digest, []).append(tag.name)
        return [self._manifest(name, digest, tuple(names.get(digest, ()))) for digest in self._digests(name)]

    def _blob(self, digest: str) -> dict[str, Any]:
        algorithm, _, value = digest.partition(":")
        try:
            content = json.loads((self.folder.blobs / algorithm / value[:2] / value / "data").read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _manifest(self, name: str, digest: str, tags: tuple[str, ...]) -> Manifest:
        content = self._blob(digest)
        config = content.get("config") or {}
        image = self._blob(config["digest"]) if config.get("digest") else {}
        parts = [config, *content.get("layers", []), *content.get("manifests", [])]
        link = self._manifests(name) / "revisions" / "sha256" / digest.partition(":")[2] / "link"
        return Manifest(
            digest=digest,
            media_type=content.get("mediaType", "application/vnd.oci.image.manifest.v1+json"),
            config_media_type=config.get("mediaType"),
            size=sum(part.get("size", 0) for part in parts),
            architecture=image.get("architecture"),
            os=image.get("os"),
            created=_time(link),
            tags=tags,
        )

    def created(self, name: str) -> str:
        return _time(self._manifests(name) / "revisions")

    def updated(self, name: str) -> str:
        return _time(max(self._manifests(name).rglob("link"), key=lambda path: path.stat().st_mtime))

    def untag(self, name: str, tag: str) -> bool:
        """Remove a tag, not its manifest. False when there is none."""
        path = self._manifests(name) / "tags" / tag
        if not path.is_dir():
            return False
        shutil.rmtree(path)
        return True

    def remove(self, name: str) -> tuple[list[str], list[str]]:
        """Remove a repository with all it holds: (digests, tags) that were in it."""
        digests, tags = list(self._digests(name)), [tag.name for tag in self.tags(name)]
        root = self.folder.repositories / name
        # Repositories nest (`team` and `team/app`): only this one's own folders start with an underscore.
        for own in root.glob("_*"):
            shutil.rmtree(own, ignore_errors=True)
        if root.is_dir() and not any(root.iterdir()):
            root.rmdir()
        return digests, tags
