"""Every name and tag, in one place. Globally unique names take the optional suffix of the settings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

#: What publishes again what nobody has acted upon: a Job, and the identity that it is.
REPUBLISHER = "republishing"
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
    def nat_gateway(self) -> str:
        return f"ng-agents-{self.environment}"

    @property
    def egress_address(self) -> str:
        return f"pip-agents-{self.environment}-egress"

    def security_group(self, subnet: str) -> str:
        return f"nsg-agents-{self.environment}-{subnet}"

    @property
    def node_resource_group(self) -> str:
        """Where AKS keeps the cluster's own resources."""
        return f"rg-agents-{self.environment}-nodes"

    @property
    def cluster(self) -> str:
        return f"aks-agents-{self.environment}"

    @property
    def registry(self) -> str:
        """Letters and digits only (Azure's rule for registries)."""
        return f"acragents{self.environment}{self.suffix}".replace("-", "")

    @property
    def cosmos(self) -> str:
        return self._global("cosmos")

    def restored_cosmos(self, as_of: datetime) -> str:
        """An account restored as of a second."""
        return f"{self.cosmos}-{stamp(as_of)}"

    @property
    def sql(self) -> str:
        return self._global("sql")

    @property
    def sql_backup(self) -> str:
        return f"{self.sql}-backup"

    @property
    def failover_group(self) -> str:
        """Its listener is a host name beside the servers'."""
        return self._global("fog")

    @property
    def storage(self) -> str:
        """Lowercase letters and digits only, at most 24 (Azure's rule for storage accounts)."""
        return f"stagents{self.environment}{self.suffix}".replace("-", "")

    @property
    def topic(self) -> str:
        return self._global("topic")

    @property
    def vault(self) -> str:
        """At most 24 characters (Azure's rule for vaults): a long one goes without its dashes."""
        name = self._global("kv")
        return name if len(name) <= 24 else name.replace("-", "")

    @property
    def backup_vault(self) -> str:
        """Azure Backup's; its name is unique within its group."""
        return f"bv-agents-{self.environment}"

    @property
    def openai(self) -> str:
        return self._global("oai")

    @property
    def openai_backup(self) -> str:
        return f"{self.openai}-backup"

    @property
    def alert_rules(self) -> str:
        return f"rules-agents-{self.environment}"

    @property
    def budget(self) -> str:
        return f"budget-agents-{self.environment}"

    @property
    def workspace(self) -> str:
        return f"log-agents-{self.environment}"

    @property
    def insights(self) -> str:
        return f"appi-agents-{self.environment}"

    @property
    def metrics(self) -> str:
        """The Azure Monitor workspace."""
        return f"amw-agents-{self.environment}"

    @property
    def grafana(self) -> str:
        return f"amg-agents-{self.environment}"

    @property
    def collection_endpoint(self) -> str:
        return f"dce-agents-{self.environment}"

    def collection_rule(self, purpose: str) -> str:
        return f"dcr-agents-{self.environment}-{purpose}"

    @property
    def namespace(self) -> str:
        return f"agents-{self.environment}"

    def identity(self, owner: str) -> str:
        return f"id-{owner}-agents-{self.environment}"

    @property
    def republisher(self) -> str:
        """Who publishes again what nobody has acted upon."""
        return self.identity(REPUBLISHER)

    def host(self, domain: str) -> str:
        return f"agents-{self.environment}.{domain}"

    def tags(self) -> dict[str, str]:
        return {"environment": self.environment, "application": "agents", "managed-by": "pulumi"}


def restored_database(database: str, as_of: datetime) -> str:
    """A SQL database restored as of a second, beside the original."""
    return f"{database}-{stamp(as_of)}"


def stamp(moment: datetime) -> str:
    """A moment in a name: `20261128095930`."""
    return moment.strftime("%Y%m%d%H%M%S")


def workload(agent: str) -> str:
    """Name of an agent's deployment, service and service account."""
    return f"{agent}-agent"


def subscription(agent: str) -> str:
    """Name of an agent's subscription to the topic."""
    return f"sub-{agent}"


#: The containers in which a backup stack keeps copies of secrets and of the Pulumi state, and the key in its
#: vault that those of secrets are encrypted with.
COPIED_SECRETS, COPIED_STATE, COPIES_KEY = "secrets", "pulumi-state", "copies"


def image_repository(agent: str) -> str:
    return f"agents-api-{agent}"


def assignment(principal: str, role: str, scope: str) -> str:
    """A role assignment's GUID: the same principal, role and scope always give the same name."""
    return str(uuid.uuid5(_ASSIGNMENTS, f"{principal}|{role}|{scope}".lower()))
