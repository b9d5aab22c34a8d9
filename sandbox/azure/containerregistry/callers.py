"""Who stands behind the credentials that a registry client may send, and what each may be granted."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry import admin, grants, naming
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.grants import Grant
from sandbox.azure.containerregistry.tokens import InvalidTokenError, RegistryTokens
from sandbox.azure.sealing import seal
from sandbox.config import Config
from sandbox.services import Services

#: The user name that says "the password is a refresh token".
REFRESH_USER = "00000000-0000-0000-0000-000000000000"
#: The user name under which the registry's own builds push.
TASK_USER = "acr-tasks"


class RefusedError(Exception):
    """The credentials are no good; the text says why, without saying what would be."""


def task_password(config: Config, registry: str) -> str:
    """What the registry's own builds authenticate with; only this sandbox can compute it."""
    return seal(config.state).derive(f"containerregistry/{registry.lower()}/builds").hex()


@dataclass(frozen=True)
class Caller:
    """`object_id` None is a user of the registry itself (admin, builds, anonymous), not of Entra."""

    subject: str
    object_id: str | None = None
    #: Without an Entra identity: every action, or (anonymous) pull alone.
    everything: bool = False


ANONYMOUS = Caller("anonymous")


def basic(header: str) -> tuple[str, str]:
    """User name and password of an `Authorization: Basic` header's value. Raises RefusedError."""
    try:
        username, _, password = base64.b64decode(header, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise RefusedError("the Basic credentials are not base64") from None
    return username, password


@dataclass(frozen=True)
class Gate:
    """Checks credentials against one registry."""

    services: Services
    registry: Resource

    @property
    def login_server(self) -> str:
        return naming.login_server(self.services.names, self.registry.id.name)

    @property
    def tokens(self) -> RegistryTokens:
        return RegistryTokens(self.services.config, self.login_server)

    def from_entra(self, token: str) -> Caller:
        """The principal of an Entra access token. Raises RefusedError."""
        names = self.services.names
        audiences = ["https://containerregistry.azure.net"]
        policies = self.registry.properties.get("policies") or {}
        if (policies.get("azureADAuthenticationAsArmPolicy") or {}).get("status") != "disabled":
            audiences += [
                f"https://{names.management}",
                "https://management.azure.com",
                "https://management.core.windows.net",
            ]
        try:
            principal = self.services.tokens.verify(
                token, [f"{a}{end}" for a in audiences for end in ("", "/")]
            )
        except ArmError as error:
            raise RefusedError(error.message) from error
        return Caller(principal.object_id, principal.object_id)

    def from_refresh_token(self, token: str) -> Caller:
        try:
            subject = self.tokens.subject(token)
        except InvalidTokenError as error:
            raise RefusedError(f"the refresh token is not valid: {error}") from error
        return Caller(subject, subject)

    def from_password(self, username: str, password: str) -> Caller:
        """Raises RefusedError."""
        if username == REFRESH_USER:
            return self.from_refresh_token(password)
        name = self.registry.id.name
        if username == TASK_USER:
            known = task_password(self.services.config, name)
            if hmac.compare_digest(known.encode(), password.encode()):
                return Caller(TASK_USER, everything=True)
        elif admin.matches(self.registry, Folder.of(self.services.config, name), username, password):
            return Caller(username, everything=True)
        raise RefusedError("the user name or password is wrong, or the admin user is disabled")

    def granted(self, caller: Caller, wanted: Sequence[Grant]) -> list[Grant]:
        """The part of `wanted` that this caller may have now."""
        if caller.object_id is not None:
            return grants.allowed(self.services.rbac, self.registry, caller.object_id, wanted)
        if caller.everything:
            return list(wanted)
        if not self.registry.properties.get("anonymousPullEnabled"):
            return []
        pull = frozenset({"pull", "metadata_read"})
        return [Grant(g.type, g.name, g.actions & pull) for g in wanted if g.actions & pull]

    def has_access(self, caller: Caller) -> bool:
        """Whether there is anything at all that this caller may do with images."""
        if caller.object_id is not None:
            return grants.any_access(self.services.rbac, self.registry, caller.object_id)
        return caller.everything or bool(self.registry.properties.get("anonymousPullEnabled"))
