"""Which principal a token request comes from: by client secret, or by an outside issuer's token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from sandbox.entra.errors import EntraError, missing_parameter
from sandbox.entra.issuers import Issuers
from sandbox.entra.principals import Directory, Federation, ServicePrincipal

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Clients:
    def __init__(self, directory: Directory, issuers: Issuers, tenant_id: str) -> None:
        self._directory = directory
        self._issuers = issuers
        self._tenant_id = tenant_id

    async def authenticate(self, form: Mapping[str, str]) -> ServicePrincipal:
        """Raises EntraError that says what is wrong with the client or its proof."""
        client_id = form.get("client_id", "")
        if not client_id:
            raise missing_parameter("client_id")
        principal = self._directory.by_client(client_id)
        if principal is None:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{self._tenant_id}'. This "
                "can happen if the application has not been installed by the administrator of the tenant "
                "or consented "
                "to by any user in the tenant. You may have sent your authentication request to the wrong "
                "tenant.",
            )
        if "client_assertion" in form:
            await self._check_assertion(principal, form)
        elif "client_secret" not in form:
            raise EntraError(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'.",
            )
        elif not principal.has_secret(form["client_secret"]):
            raise EntraError(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                "secret "
                f"value, not the client secret ID, for a secret added to app '{client_id}'.",
            )
        return principal

    async def _check_assertion(self, principal: ServicePrincipal, form: Mapping[str, str]) -> None:
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise missing_parameter("client_assertion_type")
        token = form["client_assertion"]
        options: Any = {"verify_signature": False}
        try:
            claims = jwt.decode(token, options=options)
        except jwt.InvalidTokenError as error:
            raise EntraError(
                401, "invalid_client", 50027, f"JWT token is invalid or malformed: {error}."
            ) from error
        # Matching comes first: nobody's keys are fetched whom no credential trusts.
        match(self._directory.federations(principal.object_id), claims)
        await self._issuers.verify(str(claims["iss"]), token)


def match(federations: list[Federation], claims: Mapping[str, Any]) -> Federation:
    """The credential that trusts these claims. Raises EntraError naming the first claim that fits none."""
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    audience = claims.get("aud", "")
    audiences = set(audience) if isinstance(audience, list) else {str(audience)}
    by_issuer = [found for found in federations if found.issuer == issuer]
    if not by_issuer:
        raise _unmatched(700211, "issuer", issuer)
    by_subject = [found for found in by_issuer if found.subject == subject]
    if not by_subject:
        raise _unmatched(700213, "subject", subject)
    for found in by_subject:
        if audiences & set(found.audiences):
            return found
    raise _unmatched(700212, "audience", ", ".join(sorted(audiences)))


def _unmatched(number: int, claim: str, value: str) -> EntraError:
    return EntraError(
        401,
        "invalid_client",
        number,
        f"No matching federated identity record found for presented assertion {claim} '{value}'. Check your "
        "federated identity credential Subject, Audience and Issuer against the presented assertion.",
    )
