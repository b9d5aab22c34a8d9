"""A stack's settings file, read without the engine: what is to be deployed, and how its secrets are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import settings
from infra.naming import Names
from infra.settings import NAMESPACE, Settings

#: What stands for a secret: its value is neither needed nor readable here.
_SEALED = "sealed"


class StackError(Exception):
    """There is no such settings file, or it is no YAML. The message says what to do."""


@dataclass(frozen=True)
class Stack:
    """`subscription`: the one that the file names. `provider`: of secrets; None is a passphrase."""

    name: str
    settings: Settings
    subscription: str | None
    provider: str | None

    @property
    def names(self) -> Names:
        return Names(self.settings.environment, self.settings.suffix)

    @property
    def regions(self) -> tuple[str, ...]:
        """Its own region, then that of the second copies."""
        own, paired = self.settings.location, self.settings.paired_location
        return (own, paired) if paired else (own,)

    def set(self, path: str, value: object) -> str:
        """The command that changes a setting, e.g. `model.capacity`."""
        option = "--path " if "." in path else ""
        return f"pulumi config set --stack {self.name} {option}{NAMESPACE}:{path} {value}"


def read(folder: Path, name: str) -> Stack:
    """`Pulumi.<name>.yaml` in `folder`. Raises StackError, or SettingsError for what is in it."""
    path = folder / f"Pulumi.{name}.yaml"
    try:
        file = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        known = ", ".join(sorted(found.name.split(".")[1] for found in folder.glob("Pulumi.*.yaml")))
        raise StackError(f"there is no {path.name}; the project has the stacks {known or 'none'}") from None
    except yaml.YAMLError as error:
        raise StackError(f"{path.name} is no YAML: {error}") from None
    config: dict[str, Any] = file.get("config") or {}
    values = {
        key.removeprefix(f"{NAMESPACE}:"): _opened(value)
        for key, value in config.items()
        if key.startswith(f"{NAMESPACE}:")
    }
    values.setdefault("location", config.get("azure-native:location", ""))
    subscription = config.get("azure-native:subscriptionId")
    return Stack(name, settings.parse(values, name, folder), subscription, file.get("secretsprovider"))


def _opened(value: Any) -> Any:
    """Encrypted values are written `secure: v1:…`, at any depth."""
    if isinstance(value, dict):
        return _SEALED if set(value) == {"secure"} else {key: _opened(one) for key, one in value.items()}
    return [_opened(one) for one in value] if isinstance(value, list) else value
