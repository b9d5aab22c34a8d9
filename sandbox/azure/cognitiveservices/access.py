"""Who may call an account: an Entra token with the data action, or a key where local auth is on.

Azure answers a missing data action with 401 PermissionDenied; the sandbox says 403, as its other planes do,
with Azure's code and message.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.requests import Request

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.account_keys import AccountKeys
from sandbox.azure.cognitiveservices.errors import OpenAIError, gateway
from sandbox.azure.dataplane import bearer
from sandbox.services import Services

_ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI/"
CHAT = _ACTIONS + "deployments/chat/completions/action"
EMBEDDINGS = _ACTIONS + "deployments/embeddings/action"
MODELS = _ACTIONS + "models/read"


@dataclass(frozen=True)
class Access:
    services: Services
    keys: AccountKeys

    def require(self, request: Request, account: Resource, action: str, operation: str) -> None:
        """Raises the refusal; `operation` is the route as Azure names it in messages."""
        token = bearer(request)
        # The v1 surface takes keys as bearer tokens too, as OpenAI's own clients send them.
        key = request.headers.get("api-key") or (token if token and self._is_key(account, token) else None)
        if key is not None:
            self._check_key(account, key)
        elif token is not None:
            self._check_token(account, token, action, operation)
        else:
            raise _unauthorized()

    def _check_key(self, account: Resource, key: str) -> None:
        if account.properties.get("disableLocalAuth"):
            raise gateway(
                403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource."
            )
        if not self._is_key(account, key):
            raise gateway(
                401,
                "401",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
                "a valid key for an active subscription and use a correct regional API endpoint for your "
                "resource.",
            )

    def _is_key(self, account: Resource, key: str) -> bool:
        return any(
            hmac.compare_digest(self.keys.get(account, slot).encode(), key.encode()) for slot in (1, 2)
        )

    def _check_token(self, account: Resource, token: str, action: str, operation: str) -> None:
        own = f"https://cognitiveservices.{self.services.names.suffix}"
        audiences = ("https://cognitiveservices.azure.com", own, "https://ai.azure.com")
        try:
            principal = self.services.tokens.verify(token, audiences)
        except ArmError as error:
            raise _unauthorized() from error
        if not self.services.rbac.allows(principal.object_id, action, str(account.id), data=True):
            raise gateway(
                403,
                "PermissionDenied",
                f"The principal `{principal.object_id}` lacks the required data action `{action}` to perform "
                f"`{operation}` operation.",
            )


def _unauthorized() -> OpenAIError:
    return gateway(
        401,
        "Unauthorized",
        "Unauthorized. Access token is missing, invalid, audience is incorrect "
        "(https://cognitiveservices.azure.com), or have expired.",
    )
