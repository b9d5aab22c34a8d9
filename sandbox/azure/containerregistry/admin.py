"""The admin user: one name, two passwords, usable only while `adminUserEnabled` is set."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry.folder import Folder, read_json, write_json

_NAMES = ("password", "password2")


def enabled(registry: Resource) -> bool:
    return bool(registry.properties.get("adminUserEnabled"))


def _password() -> str:
    return secrets.token_hex(26)


def _passwords(folder: Folder) -> dict[str, str]:
    stored = read_json(folder.admin)
    if set(stored) != set(_NAMES):
        stored = {name: _password() for name in _NAMES}
        write_json(folder.admin, stored, mode=0o600)
    return stored


def _require_enabled(registry: Resource) -> None:
    if not enabled(registry):
        raise bad_request(
            "UnauthorizedForCredentialOperations",
            f"Cannot perform credential operations for {registry.id} as admin user is disabled. Kindly "
            "enable admin user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
            "container-registry-authentication#admin-account",
        )


def credentials(registry: Resource, folder: Folder) -> dict[str, Any]:
    """What `listCredentials` answers. Raises ArmError 400 while the admin user is off."""
    _require_enabled(registry)
    passwords = [{"name": name, "value": value} for name, value in _passwords(folder).items()]
    return {"username": registry.id.name, "passwords": passwords}


def regenerate(registry: Resource, folder: Folder, name: object) -> dict[str, Any]:
    """Replace one password; `name` is `password` or `password2`."""
    _require_enabled(registry)
    if name not in _NAMES:
        raise bad_request(
            "InvalidPasswordName", f"The password name '{name}' is not one of {', '.join(_NAMES)}.", "name"
        )
    write_json(folder.admin, {**_passwords(folder), str(name): _password()}, mode=0o600)
    return credentials(registry, folder)


def matches(registry: Resource, folder: Folder, username: str, password: str) -> bool:
    """Whether these are the admin user's credentials, and it is enabled."""
    if not enabled(registry) or username.lower() != registry.id.name.lower():
        return False
    return any(
        hmac.compare_digest(password.encode(), known.encode()) for known in _passwords(folder).values()
    )
