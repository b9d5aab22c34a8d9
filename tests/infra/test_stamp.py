"""A stamp, phase by phase: what it declares, and what of its source it leaves alone."""

from __future__ import annotations

import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from infra import settings
from infra.azure.roles import Role
from infra.preflight.declared import declared
from infra.preflight.outside import in_source, in_subscription
from infra.preflight.stack import read
from infra.settings import Settings
from infra.settings.recovery import RecoverySettings
from infra.stacks.recorded import AGENTS
from tests.conformance.bicep import FOLDER, ROOT
from tests.conformance.judged import judge_of
from tests.conformance.program import Recorder, record

pytestmark = pytest.mark.slow

RESTORATION = "agents:workload:SecretRestoration"
COMMAND, TRAFFIC = "command:local:Command", "agents:azure:Traffic"
#: Resources of these types in the source's group are what a stamp may add to it.
ADDED = {
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment",
    "azure-native:managedidentity:FederatedIdentityCredential",
    "azure-native:resources:Deployment",
}


@cache
def stamp(*, backup: bool = True, **recovery: Any) -> Recorder:
    """prod-dr with these settings of recovery; `backup`: whether its source has a backup stack."""
    config = yaml.safe_load((ROOT / "Pulumi.prod-dr.yaml").read_text())
    config["config"]["agents:recovery"] = recovery
    with TemporaryDirectory() as name:
        (Path(name) / "Pulumi.prod-dr.yaml").write_text(yaml.safe_dump(config))
        return record("prod-dr", root=Path(name), backup=backup)


def kinds(found: Recorder) -> Counter[str]:
    return Counter(kind for kind, _, _ in found.registered)


def commands(found: Recorder) -> dict[str, str]:
    return {name: inputs["create"] for kind, name, inputs in found.registered if kind == COMMAND}


def of_components(found: Recorder) -> set[str]:
    return {urn.split("::")[2].rpartition("$")[2] for urn in found.by_urn}


def migration(found: Recorder) -> dict[str, Any]:
    """What its Job is told."""
    (job,) = [
        inputs for kind, name, inputs in found.registered if kind.endswith(":Job") and name == "migration"
    ]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def test_it_adds_to_its_source_and_has_the_rest_for_itself() -> None:
    groups: dict[str, set[str]] = {}
    for kind, _, inputs in stamp().registered:
        if "resourceGroupName" in inputs:
            groups.setdefault(str(inputs["resourceGroupName"]), set()).add(kind)
    assert groups.keys() == {"rg-agents-prod-dr", "rg-agents-prod"}
    assert groups["rg-agents-prod"] == ADDED


def test_everything_of_its_own_is_in_its_region() -> None:
    regions = {
        str(inputs["location"])
        for kind, _, inputs in stamp().registered
        if kind.startswith("azure-native:") and "location" in inputs
    }
    assert {region.lower() for region in regions} == {"northeurope", "global"}


def test_the_database_fails_over_by_force_unless_the_source_is_known_to_answer() -> None:
    forced, planned = (commands(stamp(acknowledged=known))["sql"] for known in (False, True))
    assert "--server sql-agents-prod-backup --allow-data-loss" in forced
    assert "--server sql-agents-prod-backup --try-planned-before-forced-failover" in planned


def test_the_sources_users_stay_in_the_database() -> None:
    told = migration(stamp())
    assert told["Sql__User"] == "id-standby-agents-prod"
    assert "id-devops-agents-prod" in told["Sql__Kept"]
    assert "id-devops-agents-prod-dr" in told["Sql__Users"]


def test_without_traffic_the_name_is_left_alone() -> None:
    found = of_components(stamp(traffic=False))
    assert not {TRAFFIC, "agents:workload:Certificate"} & found
    assert "agents:workload:Republishing" in found


def test_drained_it_has_no_agents_and_the_data_stays_where_it_is() -> None:
    found = stamp(phase="drained")
    assert not [kind for kind in kinds(found) if kind.startswith("kubernetes:")]
    assert commands(found).keys() == {"sql"}
    assert TRAFFIC not in of_components(found)
    assert (AGENTS in of_components(stamp()), AGENTS in of_components(found)) == (True, False)


def test_returned_the_data_goes_back_without_loss() -> None:
    found = commands(stamp(phase="returned"))
    assert found.keys() == {"sql-home", "cosmos-home"}
    assert "--server sql-agents-prod " in found["sql-home"]
    assert "data-loss" not in found["sql-home"]
    assert "--try-planned" not in found["sql-home"]
    assert found["cosmos-home"].endswith("--failover-policies westeurope=0 northeurope=1 --output none")


OWN: dict[str, Any] = {"sql": "geo-restore", "cosmos": "restore", "as_of": "2026-11-28T09:59:30Z"}
ACCOUNT, DATABASE = "azure-native:cosmosdb:DatabaseAccount", "azure-native:sql:Database"


def one(found: Recorder, kind: str) -> dict[str, Any]:
    (inputs,) = [inputs for typ, _, inputs in found.registered if typ == kind]
    return inputs


def test_a_database_of_its_own_begins_with_the_geo_redundant_backup() -> None:
    found = stamp(sql="geo-restore")
    database = one(found, DATABASE)
    assert (database["createMode"], database["serverName"]) == ("Recovery", "sql-agents-prod-dr")
    assert database["recoverableDatabaseId"].endswith(
        "/rg-agents-prod/providers/Microsoft.Sql/servers/sql-agents-prod/recoverableDatabases/AgentsDB"
    )
    assert database["requestedBackupStorageRedundancy"] == "GeoZone"
    assert not commands(found)
    told = migration(found)
    assert told["Sql__User"] == "id-migration-agents-prod-dr"
    assert told["Sql__Database"] == "AgentsDB"
    # They are in what was restored, and come back with it.
    assert "id-devops-agents-prod" in told["Sql__Kept"]


def test_an_account_of_its_own_is_the_sources_as_of_then_and_closed() -> None:
    account = one(stamp(**OWN), ACCOUNT)
    assert account["accountName"] == "cosmos-agents-prod-dr"
    assert account["restoreParameters"]["restoreTimestampInUtc"] == "2026-11-28T09:59:30Z"
    assert (
        "/locations/westeurope/restorableDatabaseAccounts/" in account["restoreParameters"]["restoreSource"]
    )
    # Cosmos DB takes a restore only where the source belongs, and puts it where `locations` says.
    assert account["location"] == "westeurope"
    assert [place["locationName"] for place in account["locations"]] == ["northeurope"]
    assert account["publicNetworkAccess"] == "Disabled"


def test_its_own_data_is_kept_and_ready_to_be_fetched_when_nobody_writes_it() -> None:
    serving, returned = stamp(**OWN), stamp(**OWN, phase="returned")
    assert (one(serving, DATABASE)["tags"]["serves"], one(returned, DATABASE)["tags"]["serves"]) == (
        "prod-dr",
        "nobody",
    )
    assert [place["locationName"] for place in one(returned, ACCOUNT)["locations"]] == [
        "northeurope",
        "westeurope",
    ]
    # Azure takes a new region only when nothing else changes.
    before, after = ({**one(found, ACCOUNT), "locations": None} for found in (serving, returned))
    assert before == after
    assert not commands(returned)
    locked = {name for kind, name, _ in serving.registered if kind.endswith(":ManagementLockByScope")}
    assert locked == {"cosmos-database", "sql-database", "dead-letters"}


def test_only_what_failed_over_fails_back() -> None:
    assert commands(stamp(sql="geo-restore", phase="returned")).keys() == {"cosmos-home"}
    assert commands(stamp(**{**OWN, "sql": "failover"}, phase="returned")).keys() == {"sql-home"}


@pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"there are no bicep types in {FOLDER}; set AGENTS_BICEP_TYPES"
)
def test_every_body_of_a_stamp_with_its_own_data_is_right() -> None:
    found = {item.name: judge_of(item.row).problems(item.body) for item in stamp(**OWN).declared}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_pre_flight_knows_what_a_stamp_with_its_own_data_has() -> None:
    made: dict[str, set[str]] = {}
    for item in stamp(**OWN).declared:
        region = str(item.inputs.get("location", "global")).lower()
        made.setdefault(item.row.type, set()).update({region} - {"global"})
    dr = read(ROOT, "prod-dr").settings
    own = dr.model_copy(update={"recovery": RecoverySettings.model_validate(OWN)})
    known = {one.type: set(one.regions(own)) for one in declared(own)}
    assert {type_: regions for type_, regions in known.items() if "Sql" in type_ or "Document" in type_} == {
        type_: regions for type_, regions in made.items() if "Sql" in type_ or "Document" in type_
    }
    restoring = "Microsoft.DocumentDB/locations/restorableDatabaseAccounts/restore/action"
    assert restoring in in_subscription(own)
    assert restoring not in in_subscription(dr)
    # Nothing of the source's data is written.
    wanted = in_source(own)
    assert "Microsoft.Sql/servers/recoverableDatabases/read" in wanted
    assert not [action for action in wanted if "failover/" in action or "sqlRoleAssignments" in action]


def test_images_of_the_backup_stack_can_be_pulled_instead() -> None:
    found = stamp(images="backup", digest="sha256:" + "0" * 64)
    assert "image" not in commands(found)
    scopes = [inputs["scope"] for kind, name, inputs in found.registered if name == "pull-kubelet"]
    assert scopes[0].endswith(
        "/rg-agents-prod-backup/providers/Microsoft.ContainerRegistry/registries/acragentsprodbackup"
    )


def roles_of(found: Recorder, owner: str) -> dict[str, list[str]]:
    """Scope -> the actions of roles of our own, or the GUID of one of Azure's."""
    own = {
        inputs["roleDefinitionId"]: [one for part in inputs["permissions"] for one in part["dataActions"]]
        for kind, _, inputs in found.registered
        if kind == "azure-native:authorization:RoleDefinition"
    }
    granted = {}
    for kind, name, inputs in found.registered:
        if kind == "azure-native:authorization:RoleAssignment" and name.endswith(owner):
            guid = str(inputs["roleDefinitionId"]).rpartition("/")[2]
            granted[str(inputs["scope"]).partition("/providers/")[2]] = own.get(guid, [guid])
    return granted


def test_who_brings_secrets_back_reads_copies_unwraps_and_sets_and_can_do_no_more() -> None:
    assert roles_of(stamp(), "secret-restoration") == {
        "Microsoft.Storage/storageAccounts/stagentsprodbackup/blobServices/default/containers/secrets": [
            Role.STORAGE_BLOB_DATA_READER
        ],
        "Microsoft.KeyVault/vaults/kv-agents-prod-backup/keys/copies": [
            "Microsoft.KeyVault/vaults/keys/unwrap/action"
        ],
        "Microsoft.KeyVault/vaults/kv-agents-prod-dr": [
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/setSecret/action",
        ],
    }


def test_the_backups_account_and_vault_get_an_address_in_the_stamps_network() -> None:
    reached = {
        connection["privateLinkServiceId"].rpartition("/")[2]: inputs["subnet"]["id"]
        for kind, _, inputs in stamp().registered
        if kind.endswith(":PrivateEndpoint")
        for connection in inputs["privateLinkServiceConnections"]
    }
    for name in ("stagentsprodbackup", "kv-agents-prod-backup"):
        assert reached[name].endswith("/virtualNetworks/vnet-agents-prod-dr/subnets/endpoints")


@pytest.mark.parametrize(
    ("backup", "recovery"),
    [(False, {}), (True, {"secrets": "none"}), (True, {"phase": "drained"})],
    ids=["no backup stack", "not wanted", "drained"],
)
def test_otherwise_nothing_is_declared_for_secrets(backup: bool, recovery: dict[str, Any]) -> None:
    found = stamp(backup=backup, **recovery)
    assert RESTORATION in of_components(stamp())
    assert not {RESTORATION, "agents:azure:SharedCopies"} & of_components(found)
    assert roles_of(found, "secret-restoration") == {}


def test_the_stamps_own_secrets_are_not_overwritten_by_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = settings.read

    def with_pager(stack: str) -> Settings:
        found = parsed(stack)
        alerts = found.alerts.model_copy(update={"pagerduty": SecretStr("https://events.example")})
        return found.model_copy(update={"alerts": alerts})

    monkeypatch.setattr(settings, "read", with_pager)
    (job,) = (
        inputs
        for kind, name, inputs in record("prod-dr").registered
        if name == "secret-restoration"
        if kind.endswith(":Job")
    )
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "Target__Kept", "value": '["pagerduty-url"]'} in container["env"]


@pytest.fixture
def az(tmp_path: Path) -> Path:
    """Where a made-up `az` notes what it is asked; it shows the account written in the file `written`."""
    script = tmp_path / "az"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncase "$2" in show) cat {tmp_path}/written;; esac\n'
    )
    script.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("written", "changes"), [("North Europe", 1), ("West Europe", 0)])
def test_priorities_change_only_where_they_are_not_so(az: Path, written: str, changes: int) -> None:
    (az / "written").write_text(f"{written}\n")
    environment = {"PATH": f"{az}:/usr/bin:/bin"}
    command = commands(stamp(phase="returned"))["cosmos-home"]
    subprocess.run(["/bin/sh", "-c", command], env=environment, check=True)
    asked = (az / "asked").read_text().splitlines()
    assert len([line for line in asked if "failover-priority-change" in line]) == changes
