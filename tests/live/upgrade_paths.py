"""How an environment is upgraded: changes of dev, and exactly which types of resources each one touches."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from drills.project import copy_project
from infra.review.plan import Action, Plan
from tests.sandboxed import ROOT

SETTINGS = "Pulumi.dev.yaml"

#: What happens, to resources of which type.
Touched = frozenset[tuple[str, str]]


def touched(plan: Plan) -> Touched:
    return frozenset((change.action.value, change.type) for change in plan.changes)


def _touches(**types: str) -> Touched:
    """`update="type type"`; the prefix `azure-native:` is left out."""
    return frozenset(
        (
            Action(action).value,
            name if name.startswith(("kubernetes:", "command:")) else f"azure-native:{name}",
        )
        for action, names in types.items()
        for name in names.split()
    )


@dataclass(frozen=True)
class Upgrade:
    """`settings`: path below `agents:` (`cluster.user.size`) -> value, None takes it away. `program`: file ->
    (text, what takes its place) pairs. `prompts`: an agent that gets a folder of prompts of its own."""

    touches: Touched
    settings: Mapping[str, Any] = field(default_factory=dict)
    program: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    prompts: str = ""

    def write_settings(self, folder: Path) -> Path:
        document = yaml.safe_load((ROOT / SETTINGS).read_text())
        for path, value in self.settings.items():
            _set(document["config"], path, value)
        file = folder / SETTINGS
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    def write_project(self, folder: Path) -> Path:
        """The project to preview: this one, or a changed copy of it in `folder`."""
        if not self.program and not self.prompts:
            return ROOT
        copy_project(folder)
        for name, pairs in self.program.items():
            for before, after in pairs:
                _replace(folder / name, before, after)
        if self.prompts:
            shutil.copytree(ROOT / "prompts" / "notification", folder / "prompts" / self.prompts)
        return folder


def _set(config: dict[str, Any], path: str, value: Any) -> None:
    first, *rest = path.split(".")
    keys = [f"agents:{first}", *rest]
    section = config
    for key in keys[:-1]:
        section = section.setdefault(key, {})
    if value is None:
        del section[keys[-1]]
    else:
        section[keys[-1]] = value


def _replace(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, f"{file} has {text.count(before)} times: {before}"
    file.write_text(text.replace(before, after))


_ENVIRONMENT = "infra/stacks/environment.py"
_NAMED = 'Cosmos("cosmos", cosmos_args)'
_RENAMED = ((_NAMED, 'Cosmos("documents", cosmos_args)'),)
_ALIAS = 'pulumi.ResourceOptions(aliases=[pulumi.Alias(name="cosmos")])'
_WITH_ALIAS = ((_NAMED, f'Cosmos("documents", cosmos_args, {_ALIAS})'),)

#: What runs the image: it is built, the database is migrated by a new job, and the pods roll.
_ROLL_OUT = {"replace": "command:local:Command kubernetes:batch:Job", "update": "kubernetes:apps:Deployment"}

#: What comes and goes with every agent, beside its queue, which comes and stays.
_AGENT = (
    "authorization:RoleAssignment cosmosdb:SqlResourceSqlRoleAssignment eventgrid:EventSubscription "
    "managedidentity:FederatedIdentityCredential managedidentity:UserAssignedIdentity "
    "kubernetes:autoscaling:HorizontalPodAutoscaler kubernetes:core:ConfigMap kubernetes:core:Service "
    "kubernetes:core:ServiceAccount kubernetes:networking:NetworkPolicy kubernetes:policy:PodDisruptionBudget"
)
_AGENTS_CHANGE = {
    **_ROLL_OUT,
    "update": "kubernetes:apps:Deployment kubernetes:core:ResourceQuota kubernetes:networking:Ingress",
}

UPGRADES = {
    "image": Upgrade(_touches(**_ROLL_OUT), {"version": "1.0.1"}),
    "scale": Upgrade(
        _touches(update="kubernetes:autoscaling:HorizontalPodAutoscaler"),
        {"agents.notification.replicas": 2},
    ),
    "autoscaler limits": Upgrade(
        _touches(update="kubernetes:autoscaling:HorizontalPodAutoscaler kubernetes:core:ResourceQuota"),
        {"agents.notification.max_replicas": 5},
    ),
    "size of the agents' nodes": Upgrade(
        _touches(replace="containerservice:AgentPool"), {"cluster.user.size": "Standard_D8ads_v5"}
    ),
    # The issuer of the cluster's tokens is an output of it, known again after the update.
    "Kubernetes version": Upgrade(
        _touches(
            update="containerservice:ManagedCluster containerservice:AgentPool "
            "managedidentity:FederatedIdentityCredential"
        ),
        {"cluster.kubernetes_version": "1.35"},
    ),
    "new agent": Upgrade(
        _touches(create=f"{_AGENT} storage:Queue kubernetes:apps:Deployment", **_AGENTS_CHANGE),
        {"agents.reviewer": {}},
        prompts="reviewer",
    ),
    # What still waits for it stays in its queue.
    "removed agent": Upgrade(
        _touches(
            delete=f"{_AGENT} kubernetes:apps:Deployment",
            forget="storage:Queue",
            **_AGENTS_CHANGE,
        ),
        {"agents.devops": None},
    ),
    # The second copies are made beside the first ones; what is updated learns of them, or is copied further.
    "added region": Upgrade(
        _touches(
            create="authorization:RoleAssignment cognitiveservices:Account cognitiveservices:Deployment "
            "cognitiveservices:RaiPolicy containerregistry:Replication monitor:DiagnosticSetting "
            "sql:FailoverGroup sql:FirewallRule sql:Server sql:ServerBlobAuditingPolicy",
            replace="kubernetes:batch:Job",
            update="containerregistry:Registry cosmosdb:DatabaseAccount monitor:ActivityLogAlert "
            "sql:Database storage:StorageAccount kubernetes:apps:Deployment",
        ),
        {"paired_location": "northeurope", "registry.sku": "Premium"},
    ),
    # Deployments name the account's endpoint, an output of it.
    "retention of backups": Upgrade(
        _touches(
            create="sql:LongTermRetentionPolicy",
            update="cosmosdb:DatabaseAccount sql:BackupShortTermRetentionPolicy sql:Database "
            "kubernetes:apps:Deployment",
        ),
        {"cosmos.backup": "Continuous30Days", "sql.point_in_time_days": 14, "sql.long_term.weekly": "P8W"},
    ),
    "retention of data": Upgrade(
        _touches(
            update="cosmosdb:SqlResourceSqlContainer storage:BlobServiceProperties "
            "operationalinsights:Workspace"
        ),
        {"cosmos.events_days": 180, "storage.soft_delete_days": 14, "telemetry.retention_days": 60},
    ),
    # Pods and the migration name the registry's server, an output of it.
    "registry's SKU": Upgrade(
        _touches(
            replace="kubernetes:batch:Job", update="containerregistry:Registry kubernetes:apps:Deployment"
        ),
        {"registry.sku": "Premium"},
    ),
    "database's SKU": Upgrade(_touches(update="sql:Database"), {"sql.sku": "GP_Gen5_2"}),
    "renamed component": Upgrade(_touches(), program={_ENVIRONMENT: _WITH_ALIAS}),
}
#: What an upgrade must not be: the same rename without saying what the component was called.
RENAMED_WITHOUT_ALIAS = Upgrade(frozenset(), program={_ENVIRONMENT: _RENAMED})
