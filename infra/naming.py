"""Every name and tag, in one place. Globally unique names take the optional suffix of the settings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

# Namespace of the names this program derives for role assignments (ARM wants a GUID there).
_ASSIGNMENTS = uuid.UUID("6f1b5f0e-7f0b-4f6e-9f0e-0e6f4ad0b6b1")


@dataclass(frozen=True)
class Names:
    """Names of one environment, e.g. `Names("dev").cluster == "aks-agents-dev"`."""

    environment: str
    suffix: str = ""

    def _global(self, prefix: str) -> str:
        return f"{prefix}-agents-{self.environment}{f'-{self.suffix}' if self.suffix else ''}"

    @property
    def resource_group(self) -> str:
        return f"rg-agents-{self.environment}"

    @property
    def network(self) -> str:
        return f"vnet-agents-{self.environment}"

    @property
    def cluster(self) -> str:
        return f"aks-agents-{self.environment}"

    @property
    def registry(self) -> str:
        """Letters and digits only (Azure's rule for registries)."""
        return f"acragents{self.environment}{self.suffix}"

    @property
    def cosmos(self) -> str:
        return self._global("cosmos")

    @property
    def vault(self) -> str:
        return self._global("kv")

    @property
    def openai(self) -> str:
        return self._global("oai")

    @property
    def workspace(self) -> str:
        return f"log-agents-{self.environment}"

    @property
    def namespace(self) -> str:
        return f"agents-{self.environment}"

    def identity(self, owner: str) -> str:
        return f"id-{owner}-agents-{self.environment}"

    def host(self, domain: str) -> str:
        return f"agents-{self.environment}.{domain}"

    def tags(self) -> dict[str, str]:
        return {"environment": self.environment, "application": "agents", "managed-by": "pulumi"}


def workload(agent: str) -> str:
    """Name of an agent's deployment, service and service account."""
    return f"{agent}-agent"


def image_repository(agent: str) -> str:
    return f"agents-api-{agent}"


def assignment(principal: str, role: str, scope: str) -> str:
    """A role assignment's GUID: the same principal, role and scope always give the same name."""
    return str(uuid.uuid5(_ASSIGNMENTS, f"{principal}|{role}|{scope}".lower()))
