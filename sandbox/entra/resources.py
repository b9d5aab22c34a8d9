"""What tokens can be for: the resources (audiences) that this directory knows, by URL or application id."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlparse

from sandbox.entra.errors import EntraError

#: Azure Kubernetes Service's server application; the audience of a cluster's API.
AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
#: Application ids of Microsoft's own resources that clients ask tokens for.
_APPLICATIONS = frozenset(
    {
        AKS_SERVER,
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",  # Azure Resource Manager
        "00000003-0000-0000-c000-000000000000",  # Microsoft Graph
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",  # Azure Key Vault
        "e406a681-f3d4-42a8-90b6-c2b029497af1",  # Azure Storage
        "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",  # Log Analytics
    }
)
#: Where Microsoft's resources have their URLs; clients carry some of these whatever the cloud.
_DOMAINS = (
    "azure.com",
    "azure.net",
    "windows.net",
    "azure.io",
    "applicationinsights.io",
    "loganalytics.io",
    "microsoft.com",
)


@dataclass(frozen=True)
class Resources:
    suffix: str

    @property
    def manager(self) -> tuple[str, ...]:
        """Audiences that Azure Resource Manager accepts."""
        return (
            f"https://management.{self.suffix}",
            "https://management.azure.com",
            "https://management.core.windows.net",
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        )

    @property
    def graph(self) -> tuple[str, ...]:
        return (
            f"https://graph.{self.suffix}",
            "https://graph.microsoft.com",
            "https://graph.windows.net",
            "00000003-0000-0000-c000-000000000000",
        )

    def from_scope(self, scope: str) -> str:
        """The resource of a client-credentials scope, `RESOURCE/.default`. Raises EntraError."""
        wanted = [part for part in scope.split() if part not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise EntraError(
                400,
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a "
                "scope value "
                "with /.default suffixed to the resource identifier (application ID URI).",
            )
        return self.check(wanted[0].removesuffix("/.default"))

    def check(self, resource: str) -> str:
        """The resource, if the directory knows it. Raises EntraError AADSTS500011."""
        try:
            host = (urlparse(resource).hostname or "").lower()
        except ValueError:
            host = ""
        domains = (self.suffix, *_DOMAINS)
        if resource.lower() in _APPLICATIONS or any(
            host == domain or host.endswith("." + domain) for domain in domains
        ):
            return resource
        raise EntraError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named Default Directory. "
            "This can "
            "happen if the application has not been installed by the administrator of the tenant or "
            "consented to by "
            "any user in the tenant.",
        )
