"""The environment that a stamp stands in for, as it is seen without its state: names and ids, computed."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization

from infra.azure import sql
from infra.cloud import Cloud
from infra.naming import Names, restored_database
from infra.settings import Settings
from infra.settings.restores import SERVICES, Restore, Service, of_service


@dataclass(frozen=True)
class Foreign:
    """A resource of another stack. `name` is known at once, `id` says where it lies."""

    id: pulumi.Output[str]
    plain_name: str

    @property
    def name(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self.plain_name)


@dataclass(frozen=True)
class Source:
    settings: Settings
    cloud: Cloud

    @property
    def names(self) -> Names:
        return Names(self.settings.environment, self.settings.suffix)

    @property
    def backup(self) -> Names:
        """Names of its backup stack."""
        return Names(f"{self.settings.environment}-backup", self.settings.suffix)

    @property
    def account(self) -> Foreign:
        """The Cosmos DB account that its agents use: the original, or what was restored last."""
        adopted = self._adopted("cosmos")
        name = self.names.restored_cosmos(adopted.as_of) if adopted else self.names.cosmos
        return _foreign(self.names, "Microsoft.DocumentDB/databaseAccounts", name)

    @property
    def account_endpoint(self) -> str:
        return f"https://{self.account.plain_name}.{self.cloud.documents_suffix}:443/"

    @property
    def database(self) -> str:
        """The SQL database that its agents use."""
        adopted = self._adopted("sql")
        return restored_database(sql.DATABASE, adopted.as_of) if adopted else sql.DATABASE

    @property
    def first_server(self) -> Foreign:
        return _foreign(self.names, "Microsoft.Sql/servers", self.names.sql)

    @property
    def second_server(self) -> Foreign:
        """In the paired region."""
        return _foreign(self.names, "Microsoft.Sql/servers", self.names.sql_backup)

    @property
    def listener(self) -> str:
        """The host name that follows the failover group's primary."""
        return f"{self.names.failover_group}.{self.cloud.sql_suffix}"

    def registry(self, *, backup: bool) -> Foreign:
        """Its own, whose replica answers in the paired region, or the one of its backup stack."""
        names = self.backup if backup else self.names
        return _foreign(names, "Microsoft.ContainerRegistry/registries", names.registry)

    def unpaired(self) -> list[Service]:
        """Copies that its agents use and that have no second one in the paired region."""
        found = {service: self._adopted(service) for service in SERVICES}
        return [service for service, restore in found.items() if restore is not None and not restore.paired]

    def _adopted(self, service: Service) -> Restore | None:
        adopted = [one for one in of_service(self.settings.restores, service) if one.adopted]
        return adopted[-1] if adopted else None


def _foreign(names: Names, kind: str, name: str) -> Foreign:
    where = authorization.get_client_config_output().subscription_id
    group = names.resource_group
    return Foreign(
        pulumi.Output.format(
            "/subscriptions/{0}/resourceGroups/{1}/providers/{2}/{3}", where, group, kind, name
        ),
        name,
    )
