"""The data side of an environment, as `dev` and as `prod` have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.azure.alerts import Alerts, AlertsArgs
from infra.azure.budget import Budget, BudgetArgs
from infra.azure.cosmos import Cosmos, CosmosArgs
from infra.azure.cosmos_restored import restore_accounts
from infra.azure.events import Events, EventsArgs
from infra.azure.exposure import Exposure
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.openai import OpenAI, OpenAIArgs
from infra.azure.place import Place
from infra.azure.registry import Registry, RegistryArgs
from infra.azure.sql import Sql, SqlArgs
from infra.azure.storage import Storage, StorageArgs
from infra.azure.vault import Vault, VaultArgs
from infra.naming import Names
from infra.settings import Settings, parse
from infra.settings.restores import of_service
from infra.stacks.data_origins import Origins
from tests.infra.azure.declaring import AGENTS, OPERATORS, WORKSPACE, closed, large, opened, small

PAGER = "https://events.pagerduty.test/integration/canary-of-pagerduty/enqueue"
CHAT = "https://teams.test/webhook/canary-of-teams"
GROUP = "/subscriptions/s/resourceGroups/rg"


@dataclass(frozen=True)
class Environment:
    place: Place
    exposure: Exposure
    settings: Settings
    origins: Origins = field(default_factory=Origins)

    def declare(self) -> None:
        """All of it."""
        for part in (
            self.registry,
            self.cosmos,
            self.sql,
            self.events,
            self.vault,
            self.openai,
            self.alerts,
        ):
            part()

    def registry(self) -> None:
        name, settings = self._names.registry, self.settings.registry
        Registry(
            "registry",
            RegistryArgs(name, self.place, settings, self.exposure, WORKSPACE, AGENTS, OPERATORS),
        )

    def cosmos(self) -> None:
        name, settings = self._names.cosmos, self.settings.cosmos
        args = CosmosArgs(name, self.place, settings, self.exposure, WORKSPACE, AGENTS, OPERATORS)
        original = Cosmos("cosmos", args)
        restores = of_service(self.settings.restores, "cosmos")
        restore_accounts(original, args, restores, self._names, self.origins.accounts)

    def sql(self) -> None:
        names = self._names
        Sql(
            "sql",
            SqlArgs(
                server=names.sql,
                backup_server=names.sql_backup,
                failover_group=names.failover_group,
                place=self.place,
                settings=self.settings.sql,
                exposure=self.exposure,
                workspace_id=WORKSPACE,
                administrator=Identity("migration", IdentityArgs(names.identity("migration"), self.place)),
                restores=of_service(self.settings.restores, "sql"),
                origins=self.origins.databases,
            ),
        )

    def events(self) -> None:
        """With the storage that they are delivered to."""
        name, settings = self._names.storage, self.settings.storage
        storage = Storage(
            "storage", StorageArgs(name, self.place, settings, self.exposure, WORKSPACE, AGENTS, OPERATORS)
        )
        Events(
            "events",
            EventsArgs(
                topic=self._names.topic,
                place=self.place,
                settings=self.settings.events,
                exposure=self.exposure,
                workspace_id=WORKSPACE,
                storage=storage,
                agents=AGENTS,
                operators=OPERATORS,
                listens={"devops": ["agents.incident.opened", "agents.incident.closed"]},
            ),
        )

    def vault(self) -> None:
        alerts = self.settings.alerts
        Vault(
            "vault",
            VaultArgs(
                name=self._names.vault,
                place=self.place,
                settings=self.settings.vault,
                exposure=self.exposure,
                workspace_id=WORKSPACE,
                readers=AGENTS,
                officers=OPERATORS,
                secrets={"pagerduty-url": alerts.pagerduty, "teams-url": alerts.teams},
            ),
        )

    def openai(self) -> None:
        OpenAI(
            "openai",
            OpenAIArgs(
                account=self._names.openai,
                backup_account=self._names.openai_backup,
                place=self.place,
                model=self.settings.model,
                exposure=self.exposure,
                workspace_id=WORKSPACE,
                users=[*AGENTS, *OPERATORS],
            ),
        )

    def alerts(self) -> None:
        """And the budget, which is told of through them."""
        alerts = Alerts("alerts", AlertsArgs(self.place, self.settings.alerts, GROUP))
        told = self.settings.alerts.emails
        Budget("budget", BudgetArgs(self._names.budget, GROUP, self.settings.budget, told, alerts.critical))

    @property
    def _names(self) -> Names:
        return Names(self.settings.environment)


_DEV: dict[str, Any] = {
    "location": "westeurope",
    "version": "1.0.0",
    "agents": {"notification": {}, "devops": {}},
    "events": {"attempts": 5, "minutes": 60},
}
_PROD: dict[str, Any] = {
    **_DEV,
    "authentication": {"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://agents"},
    "registry": {"sku": "Premium"},
    "cosmos": {"throughput": 4000, "backup": "Continuous30Days"},
    "sql": {"sku": "BC_Gen5_2", "point_in_time_days": 35, "long_term": {}},
    "storage": {"soft_delete_days": 30, "dead_letter_days": 45},
    "vault": {"soft_delete_days": 90, "purge_protection": True},
    "alerts": {"emails": ["oncall@example.com"], "pagerduty": PAGER, "teams": CHAT},
}


def dev(exposure: Exposure | None = None, **changes: Any) -> Environment:
    return Environment(small(), exposure or opened(), parse({**_DEV, **changes}, "dev"))


def prod(origins: Origins | None = None, **changes: Any) -> Environment:
    return Environment(large(), closed(), parse({**_PROD, **changes}, "prod"), origins or Origins())
