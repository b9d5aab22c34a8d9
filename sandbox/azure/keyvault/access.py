"""Who may do what in a vault: Entra tokens, then role assignments or, without RBAC, access policies."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum

from starlette.requests import Request

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import bearer
from sandbox.azure.keyvault.errors import KeyVaultError
from sandbox.config import TENANT_ID
from sandbox.services import Services


class AnyOperation(Enum):
    """What a value means: its data action below the collection, and its permission in an access policy."""

    @property
    @abstractmethod
    def collection(self) -> str:
        """The vault's part that it is about."""

    @property
    def action(self) -> str:
        return f"Microsoft.KeyVault/vaults/{self.collection}/{self.value[0]}"

    @property
    def permission(self) -> str:
        return str(self.value[1])


class Operation(AnyOperation):
    """(data action below Microsoft.KeyVault/vaults/secrets/, permission of an access policy)."""

    GET = ("getSecret/action", "get")
    SET = ("setSecret/action", "set")
    LIST = ("readMetadata/action", "list")
    UPDATE = ("update/action", "set")
    DELETE = ("delete", "delete")
    GET_DELETED = ("readMetadata/action", "get")
    RECOVER = ("recover/action", "recover")
    PURGE = ("purge/action", "purge")
    BACKUP = ("backup/action", "backup")
    RESTORE = ("restore/action", "restore")

    @property
    def collection(self) -> str:
        return "secrets"


class KeyOperation(AnyOperation):
    """(data action below Microsoft.KeyVault/vaults/keys/, permission of an access policy)."""

    GET = ("read", "get")
    LIST = ("read", "list")
    CREATE = ("create/action", "create")
    DELETE = ("delete", "delete")
    RECOVER = ("recover/action", "recover")
    PURGE = ("purge/action", "purge")
    ENCRYPT = ("encrypt/action", "encrypt")
    DECRYPT = ("decrypt/action", "decrypt")
    WRAP = ("wrap/action", "wrapkey")
    UNWRAP = ("unwrap/action", "unwrapkey")

    @property
    def collection(self) -> str:
        return "keys"


@dataclass(frozen=True)
class Access:
    services: Services

    @property
    def resource(self) -> str:
        """The audience that the challenge names; clients check that the vault's host lies below it."""
        return f"https://{self.services.names.service('vault')}"

    def authenticate(self, request: Request) -> Principal:
        token = bearer(request)
        if token is None:
            raise self._challenge("AKV10000: Request is missing a Bearer or PoP token.")
        audiences = (self.resource, "https://vault.azure.net")
        try:
            return self.services.tokens.verify(token, audiences)
        except ArmError as error:
            raise self._challenge(
                f"AKV10022: Invalid token. {error.message}", error="invalid_token"
            ) from error

    def authorize(
        self, principal: Principal, vault: Resource, operation: AnyOperation, name: str | None
    ) -> None:
        if vault.properties.get("enableRbacAuthorization"):
            self._by_rbac(principal, vault, operation, name)
        else:
            self._by_policy(principal, vault, operation)

    def _by_rbac(
        self, principal: Principal, vault: Resource, operation: AnyOperation, name: str | None
    ) -> None:
        scope = f"{vault.id}/{operation.collection}/{name}" if name else str(vault.id)
        if self.services.rbac.allows(principal.object_id, operation.action, scope, data=True):
            return
        raise KeyVaultError(
            403,
            "Forbidden",
            "Caller is not authorized to perform action on resource.\r\n"
            "If role assignments, deny assignments or role definitions were changed recently, please observe "
            "propagation time.\r\n"
            f"Caller: {caller(principal)}\r\n"
            f"Action: '{operation.action}'\r\n"
            f"Resource: '{scope.lower()}'\r\n"
            "Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"
            f"Vault: {vault.id.name};location={vault.location}\r\n",
            "ForbiddenByRbac",
        )

    def _by_policy(self, principal: Principal, vault: Resource, operation: AnyOperation) -> None:
        for policy in vault.properties.get("accessPolicies") or ():
            permissions = (policy.get("permissions") or {}).get(operation.collection) or ()
            granted = {str(permission).lower() for permission in permissions}
            if policy.get("objectId") == principal.object_id and granted & {operation.permission, "all"}:
                return
        raise KeyVaultError(
            403,
            "Forbidden",
            f"The user, group or application '{caller(principal)}' does not have "
            f"{operation.collection} {operation.permission} permission on key vault "
            f"'{vault.id.name};location={vault.location}'. "
            "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
            "ForbiddenByPolicy",
        )

    def _challenge(self, message: str, error: str | None = None) -> KeyVaultError:
        parts = [
            f'authorization="https://{self.services.names.login}/{TENANT_ID}"',
            f'resource="{self.resource}"',
        ]
        if error is not None:
            parts.append(f'error="{error}"')
        return KeyVaultError(
            401, "Unauthorized", message, headers={"WWW-Authenticate": "Bearer " + ", ".join(parts)}
        )


def caller(principal: Principal) -> str:
    issuer = f"https://sts.windows.net/{principal.tenant_id}/"
    return f"appid={principal.client_id};oid={principal.object_id};iss={issuer}"
