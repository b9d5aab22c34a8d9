"""Path prefixes and name rules that several rows share."""

from __future__ import annotations

from sandbox.types.armtype import NameRule

SUBSCRIPTION = "/subscriptions/{subscriptionId}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{resourceGroupName}}"


def in_group(rest: str) -> str:
    """The path of a resource in a resource group: `in_group("Microsoft.KeyVault/vaults/{vaultName}")`."""
    return f"{GROUP}/providers/{rest}"


GUID = NameRule(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a GUID")

#: Most of Microsoft.Network.
NETWORK_80 = NameRule(
    r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?",
    "1-80 alphanumerics, underscores, periods and hyphens, starting with an alphanumeric and ending with an "
    "alphanumeric or underscore",
)
NETWORK_64 = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]",
    "2-64 alphanumerics, underscores, periods and hyphens, starting with an alphanumeric and ending with an "
    "alphanumeric or underscore",
)
DNS_ZONE = NameRule(
    r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.){1,33}[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    "2 to 34 labels of 1-63 alphanumerics, underscores and hyphens, separated by periods",
)
INSIGHTS_260 = NameRule(
    r"(?!.*[ .]$)[^*#&+:<>?@%{}\\/|\x00-\x1f]{1,260}",
    "1-260 characters other than *#&+:<>?@%{}\\/| and control characters, not ending with a space or period",
)
RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
