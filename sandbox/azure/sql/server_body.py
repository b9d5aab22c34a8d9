"""A server's properties: checks that a schema cannot make, defaults, and what Azure computes.

Source: https://learn.microsoft.com/rest/api/sql/servers.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body
from sandbox.azure.sql import naming
from sandbox.azure.sql.roles import Administrator
from sandbox.config import TENANT_ID

_DEFAULTS: Mapping[str, Any] = {
    "version": "12.0",
    "minimalTlsVersion": "1.2",
    "publicNetworkAccess": "Enabled",
    "restrictOutboundNetworkAccess": "Disabled",
}
#: Retired by Azure: https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings
_TLS = ("1.2", "1.3")
_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_@.$#-]{0,127}")
_KINDS = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")


def check(sent: Body, before: Mapping[str, Any] | None) -> None:
    """Raise ArmError 400 for what Azure would not take."""
    administrators = _given(sent.get("administrators"))
    if before is None and not administrators and not sent.get("administratorLogin"):
        raise bad_request(
            "InvalidParameterValue",
            "A server needs an administrator: 'administrators' (Entra ID), or 'administratorLogin' with a "
            "password.",
            "properties.administrators",
        )
    if administrators:
        check_administrator(administrators, "properties.administrators")
    if sent.get("administratorLogin"):
        _check_login(sent, before)
    tls = sent.get("minimalTlsVersion")
    if tls is not None and tls not in _TLS:
        raise bad_request(
            "TlsVersionNotSupported",
            f"The minimal TLS version '{tls}' is no longer supported; use one of {', '.join(_TLS)}.",
            "properties.minimalTlsVersion",
        )
    if sent.get("createMode") == "Restore":
        raise bad_request(
            "ServerRestoreNotSupported", "Deleted servers cannot be restored here.", "properties.createMode"
        )


def check_administrator(sent: Mapping[str, Any], path: str) -> None:
    """An Entra administrator has a login and an object id, of this tenant."""
    for name in ("login", "sid"):
        if not sent.get(name):
            raise bad_request(
                "InvalidParameterValue", f"An Entra administrator needs '{name}'.", f"{path}.{name}"
            )
    for name, value in (("sid", sent["sid"]), ("tenantId", sent.get("tenantId") or TENANT_ID)):
        if not _is_guid(value):
            raise bad_request("InvalidParameterValue", f"'{value}' is no GUID.", f"{path}.{name}")
    if str(sent.get("tenantId") or TENANT_ID).lower() != TENANT_ID:
        raise bad_request(
            "InvalidTenantId",
            f"The administrator's tenant '{sent['tenantId']}' is not the subscription's, '{TENANT_ID}'.",
            f"{path}.tenantId",
        )
    if naming.is_reserved(str(sent["login"])):
        raise bad_request(
            "InvalidLoginName", f"'{sent['login']}' cannot be an administrator's login.", f"{path}.login"
        )


def _check_login(sent: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    login, password = str(sent["administratorLogin"]), sent.get("administratorLoginPassword")
    if before is not None and login != before.get("administratorLogin"):
        raise bad_request(
            "InvalidParameterValue",
            "The administrator login cannot be changed.",
            "properties.administratorLogin",
        )
    if naming.is_reserved(login) or not _LOGIN.fullmatch(login):
        raise bad_request(
            "InvalidLoginName",
            f"'{login}' is not a valid login name because it is reserved or contains invalid characters.",
            "properties.administratorLogin",
        )
    if before is None and password is None:
        raise bad_request(
            "InvalidParameterValue",
            "A server with an administrator login needs its password.",
            "properties.administratorLoginPassword",
        )
    if password is not None:
        kinds = sum(bool(re.search(kind, password)) for kind in _KINDS)
        if not 8 <= len(password) <= 128 or kinds < 3 or login.lower() in password.lower():
            raise bad_request(
                "PasswordNotComplex",
                "Password validation failed. The password does not meet policy requirements because it is "
                "not complex enough.",
                "properties.administratorLoginPassword",
            )


def fill(fqdn: str, server_id: str, sent: Body, before: Mapping[str, Any] | None) -> Body:
    """The properties to store. An update keeps what it does not mention; no password is kept."""
    known = {name: value for name, value in (before or {}).items() if name in (*_DEFAULTS, *_KEPT)}
    given = _given(sent)
    administrators = _given(sent.get("administrators")) or (before or {}).get("administrators")
    properties = {**_DEFAULTS, **known, **{name: given[name] for name in given if name not in _WRITE_ONLY}}
    properties |= {
        "administratorLogin": given.get("administratorLogin")
        or known.get("administratorLogin")
        or f"CloudSA{hashlib.sha256(server_id.lower().encode()).hexdigest()[:8]}",
        "state": "Ready",
        "fullyQualifiedDomainName": fqdn,
        "privateEndpointConnections": (before or {}).get("privateEndpointConnections", []),
        "externalGovernanceStatus": "Disabled",
    }
    properties.pop("administrators", None)
    if administrators:
        properties["administrators"] = administrator_body(
            administrators, (before or {}).get("administrators")
        )
    return properties


_KEPT = ("administratorLogin", "primaryUserAssignedIdentityId", "federatedClientId", "keyId", "isIPv6Enabled")
_WRITE_ONLY = ("administratorLoginPassword", "createMode", "administrators")


def administrator_body(sent: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Body:
    """An Entra administrator as ARM answers it, in the server and as a child of it.

    Whether only Entra ID may log in is settled when the server is made, and later in a resource of its own.
    """
    if before is not None:
        only = before.get("azureADOnlyAuthentication", False)
    else:
        only = sent.get("azureADOnlyAuthentication") or False
    body = {
        "administratorType": "ActiveDirectory",
        "login": sent["login"],
        "sid": sent["sid"],
        "tenantId": sent.get("tenantId") or TENANT_ID,
        "azureADOnlyAuthentication": bool(only),
    }
    kind = sent.get("principalType") or (before or {}).get("principalType")
    return {**body, "principalType": kind} if kind else body


def administrator(properties: Mapping[str, Any]) -> Administrator | None:
    """Who administers a server of these properties; None when nobody of Entra ID does."""
    found = properties.get("administrators")
    return Administrator(str(found["login"]), str(found["sid"])) if found else None


def _given(sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is not null: az sends an administrator of nulls when it was given none."""
    return {name: value for name, value in (sent or {}).items() if value is not None}


def _is_guid(value: Any) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True
