"""Locks: the changeable attributes of repositories, tags and manifests.

Kept in one small JSON file per registry. What has none of its own may be read, listed, written and deleted.
Source: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.azure.containerregistry.folder import Folder, read_json, write_json

NAMES = ("deleteEnabled", "writeEnabled", "readEnabled", "listEnabled")


def target(repository: str, reference: str | None = None) -> str:
    """The key of a repository, of `repository:tag` or of `repository@sha256:…`."""
    if reference is None:
        return repository
    return f"{repository}@{reference}" if ":" in reference else f"{repository}:{reference}"


@dataclass(frozen=True)
class Attributes:
    folder: Folder

    def of(self, key: str) -> dict[str, bool]:
        return self._with_defaults(read_json(self.folder.attributes).get(key, {}))

    @staticmethod
    def _with_defaults(own: Mapping[str, bool]) -> dict[str, bool]:
        return {name: bool(own.get(name, True)) for name in NAMES}

    def change(self, key: str, changes: Mapping[str, object]) -> None:
        """Raises ValueError for what is no attribute."""
        for name, value in changes.items():
            if name not in NAMES or not isinstance(value, bool):
                raise ValueError(f"'{name}: {value}' is not one of {', '.join(NAMES)} with a boolean")
        everything = read_json(self.folder.attributes)
        everything[key] = {**everything.get(key, {}), **changes}
        write_json(self.folder.attributes, everything)

    def forget(self, repository: str, reference: str | None = None) -> None:
        """Drop the attributes of a tag or manifest, or of a repository with all that is in it."""
        key = target(repository, reference)
        stored = read_json(self.folder.attributes)
        inner = () if reference else (f"{repository}:", f"{repository}@")
        kept = {k: v for k, v in stored.items() if k != key and not (inner and k.startswith(inner))}
        if kept != stored:
            write_json(self.folder.attributes, kept)

    def allow(self, attribute: str, repository: str, *references: str) -> bool:
        """Whether the repository and each reference into it (tag, digest) has the attribute on."""
        stored = read_json(self.folder.attributes)
        keys = [target(repository), *(target(repository, reference) for reference in references)]
        return all(bool(stored.get(key, {}).get(attribute, True)) for key in keys)
