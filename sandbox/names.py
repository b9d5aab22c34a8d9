"""Host names of the local Azure. They mirror Azure's, under one suffix.

A name ends in the sandbox's suffix (`azure.test`); where Azure's own name carries a service label
(`vault`, `documents`, `azurecr`, …) so does ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    suffix: str

    @property
    def management(self) -> str:
        return f"management.{self.suffix}"

    @property
    def login(self) -> str:
        return f"login.{self.suffix}"

    @property
    def graph(self) -> str:
        return f"graph.{self.suffix}"

    def service(self, label: str) -> str:
        """Suffix of one service, e.g. `vault` -> `vault.azure.test`.

        Labels in use: vault, documents, azurecr, openai, database, and storage (below which lie
        `<account>.blob.`, `<account>.queue.`, … as on Azure).
        """
        return f"{label}.{self.suffix}"

    def cluster(self, dns_prefix: str, region: str) -> str:
        """FQDN of an AKS API server."""
        return f"{dns_prefix}.hcp.{region}.azmk8s.{self.suffix}"

    def private_cluster(self, dns_prefix: str, unique: str, region: str) -> str:
        """FQDN of a private AKS API server, in the zone that is named by `unique`."""
        return f"{dns_prefix}.{unique}.privatelink.{region}.azmk8s.{self.suffix}"

    def oidc_issuer(self, region: str, tenant: str, cluster: str) -> str:
        """OIDC issuer URL of an AKS cluster (with a trailing slash, as on Azure)."""
        return f"https://{region}.oic.prod-aks.{self.suffix}/{tenant}/{cluster}/"
