"""A stack with the data side of `dev`: Cosmos DB and SQL as the program declares them, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.sql import SqlManagementClient

from sandbox.azure.sql import backups
from sandbox.azure.sql.instance import instance
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served, client
from tests.waiting import until

GROUP, ACCOUNT, SERVER, DATABASE = "rg-agents-dev", "cosmos-agents-dev", "sql-agents-dev", "AgentsDB"
#: A program's beginning: every name of the cloud leads to the port that it is served at.
PLACED = """
    import gc
    import socket

    gc.disable()  # as the program does

    genuine = socket.getaddrinfo

    def getaddrinfo(host, asked, *args, **kwargs):
        if str(host).endswith("azure.test"):
            return genuine("127.0.0.1", PORT, *args, **kwargs)
        return genuine(host, asked, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
"""
_PROGRAM = (
    PLACED
    + """
    import json
    from pathlib import Path

    import pulumi
    from pulumi_azure_native import authorization, operationalinsights, resources

    from infra.azure.cosmos import Cosmos, CosmosArgs
    from infra.azure.cosmos_restored import restore_accounts
    from infra.azure.exposure import Exposure
    from infra.azure.identity import Identity, IdentityArgs
    from infra.azure.place import Place
    from infra.azure.roles import Grantee
    from infra.azure.sql import Sql, SqlArgs
    from infra.cloud import read_cloud
    from infra.naming import Names
    from infra.settings import parse
    from infra.settings.restores import of_service
    from infra.stacks.data_origins import decide

    settings = parse(json.loads(Path("settings.json").read_text()), "dev")
    names, cloud = Names("dev"), read_cloud()
    origins = decide(settings, names, cloud)
    group = resources.ResourceGroup("group", resource_group_name=names.resource_group, location="westeurope")
    place = Place(cloud, group.name, "westeurope", settings.paired_location, False, {})
    workspace = operationalinsights.Workspace(
        "log", workspace_name=names.workspace, resource_group_name=group.name, location="westeurope"
    ).id
    agent = Identity("devops", IdentityArgs(names.identity("devops"), place))
    migration = Identity("migration", IdentityArgs(names.identity("migration"), place))
    operators = [Grantee("deployer", authorization.get_client_config_output().object_id, None)]
    args = CosmosArgs(
        names.cosmos, place, settings.cosmos, Exposure(), workspace, [agent.grantee()], operators
    )
    cosmos = Cosmos("cosmos", args)
    documents = restore_accounts(
        cosmos, args, of_service(settings.restores, "cosmos"), names, origins.accounts
    )
    if settings.republish is not None:
        reader = Identity("republishing", IdentityArgs(names.republisher, place))
        documents.roles.grant_reading("Events", [reader.grantee()], pulumi.ResourceOptions(parent=reader))
    sql = Sql(
        "sql",
        SqlArgs(
            server=names.sql,
            backup_server=names.sql_backup,
            failover_group=names.failover_group,
            place=place,
            settings=settings.sql,
            exposure=Exposure(),
            workspace_id=workspace,
            administrator=migration,
            restores=of_service(settings.restores, "sql"),
            origins=origins.databases,
        ),
    )
    pulumi.export("endpoint", documents.endpoint)
    pulumi.export("database", sql.database)
"""
)


class Stack:
    """`settings` are the next update's; the clients act as the deployer."""

    def __init__(self, cloud: Served, project: Project) -> None:
        #: What programs that act as the deployer have to be told.
        self.environment = cloud.environment
        project.environment |= self.environment
        self.project, self._cloud = project, cloud
        project.write(_PROGRAM.replace("PORT", str(cloud.port)))
        self.groups: Any = client(cloud, ResourceManagementClient)
        self.cosmos: Any = client(cloud, CosmosDBManagementClient)
        self.sql: Any = client(cloud, SqlManagementClient)
        self.configure()

    def configure(self, **settings: Any) -> None:
        self.settings = {
            "location": "westeurope",
            "version": "1.0.0",
            "agents": {"devops": {}},
            "sql": {"sku": "GP_Gen5_2"},
            **settings,
        }
        (self.project.directory / "settings.json").write_text(json.dumps(self.settings))

    def up(self, *, refresh: bool = False, fails: bool = False) -> str:
        return self.project.up(*(["--refresh"] if refresh else []), fails=fails)

    def exists(self, id: str, version: str) -> bool:  # noqa: A002 - Azure's word
        """Whether Resource Manager has a resource."""
        try:
            self.groups.resources.get_by_id(id, api_version=version)
        except ResourceNotFoundError:
            return False
        return True

    def backed_up(self) -> datetime:
        """Now, with a first backup of the SQL server taken."""
        services = self._cloud.cloud.services
        until(lambda: backups.taken(instance(services, SERVER).backups), seconds=60)
        return datetime.now(UTC)

    def accounts(self) -> dict[str, str]:
        """Instance ids by name."""
        found = self.cosmos.database_accounts.list_by_resource_group(GROUP)
        return {one.name: one.instance_id for one in found}

    def databases(self) -> dict[str, str]:
        """Ids by name."""
        found = self.sql.databases.list_by_server(GROUP, SERVER)
        return {one.name: one.database_id for one in found if one.name != "master"}

    def deleted(self, instance: str) -> datetime:
        """The last second before an account was deleted."""
        found = self.cosmos.restorable_database_accounts.get_by_location("westeurope", instance)
        at: datetime = found.deletion_time
        return (at - timedelta(microseconds=1)).replace(microsecond=0)

    def drop_account(self, name: str = ACCOUNT) -> None:
        self.cosmos.database_accounts.begin_delete(GROUP, name, polling_interval=0).result()

    def drop_database(self, name: str = DATABASE) -> None:
        self.sql.databases.begin_delete(GROUP, SERVER, name, polling_interval=0).result()

    def drop_server(self) -> None:
        self.sql.servers.begin_delete(GROUP, SERVER, polling_interval=0).result()

    def drop_group(self) -> None:
        self.groups.resource_groups.begin_delete(GROUP, polling_interval=0).result()
