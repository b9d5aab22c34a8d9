"""A stamp of the stack beside it: the data that it has for itself, without cluster and agents."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.checkout import ROOT
from tests.infra.recovery.stack import PLACED
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served

GROUP, SERVER, ACCOUNT = "rg-agents-dev-dr", "sql-agents-dev-dr", "cosmos-agents-dev-dr"
_PROGRAM = (
    PLACED
    + """
    import json
    from pathlib import Path

    import pulumi
    from pulumi_azure_native import authorization, operationalinsights, resources

    from infra.azure.exposure import Exposure
    from infra.azure.identity import Identity, IdentityArgs
    from infra.azure.place import Place
    from infra.azure.roles import Grantee
    from infra.cloud import read_cloud
    from infra.naming import Names
    from infra.settings import base, parse
    from infra.stacks import stamp_data, takeover
    from infra.stacks.source import Source

    here = Path()
    settings = parse(json.loads((here / "settings.json").read_text()), "dev-dr", here)
    names, cloud = Names("dev-dr"), read_cloud()
    source = Source(parse(base.values_of("dev", here), "dev", here), cloud)
    # Nobody answers under this name.
    restored_from = takeover.check(settings, source, "agents.invalid")
    group = resources.ResourceGroup(
        "group", resource_group_name=names.resource_group, location=settings.location
    )
    place = Place(cloud, group.name, settings.location, None, settings.protect, names.tags())
    workspace = operationalinsights.Workspace(
        "log", workspace_name=names.workspace, resource_group_name=group.name, location=settings.location
    ).id
    agent = Identity("devops", IdentityArgs(names.identity("devops"), place))
    args = stamp_data.StampDataArgs(
        settings=settings,
        names=names,
        source=source,
        place=place,
        exposure=Exposure(),
        workspace_id=workspace,
        agents=[agent.grantee()],
        operators=[Grantee("deployer", authorization.get_client_config_output().object_id, None)],
        restored_from=restored_from,
    )
    documents = stamp_data.documents_of(args)
    pulumi.export("endpoint", documents.endpoint)
    if settings.recovery.sql == "geo-restore":
        migration = Identity("migration", IdentityArgs(names.identity("migration"), place))
        sql = stamp_data.own_sql(args, migration)
        pulumi.export("server", sql.server)
"""
)


class Stamp:
    """`dev-dr`, whose settings and whose source's are set before each update."""

    def __init__(self, cloud: Served, project: Project, environment: dict[str, str]) -> None:
        project.environment |= environment
        project.write(_PROGRAM.replace("PORT", str(cloud.port)))
        self.project = project

    def configure(self, source: dict[str, Any], **recovery: Any) -> None:
        """`source`: the settings of `dev`, as its stack has them."""
        values = {f"agents:{key}": value for key, value in source.items() if key != "location"}
        file = {"config": {"azure-native:location": source["location"], **values}}
        (self.project.directory / "Pulumi.dev.yaml").write_text(yaml.safe_dump(file))
        own = {"role": "recovery", "source": "dev", "location": "", "recovery": recovery}
        (self.project.directory / "settings.json").write_text(json.dumps(own))

    def up(self, *, fails: bool = False) -> str:
        return self.project.up(fails=fails)

    def unchanged(self) -> None:
        """The same settings again change nothing, and nothing drifted."""
        self.project.pulumi("preview", "--refresh", "--expect-no-changes")


__all__ = ["ACCOUNT", "GROUP", "ROOT", "SERVER", "Stamp"]
