"""What a backup is made from, and what a stamp would be."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from infra.naming import image_repository
from infra.preflight.arm import AskError
from infra.preflight.checks import copies, source
from infra.preflight.data import Blob, Image
from infra.preflight.report import State
from infra.settings.restores import Restore
from tests.infra.preflight.recorded import GROUP, ROOT, Azure, found, lacking, ready, stack, states

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BACKUP, STAMP = stack("prod-backup"), stack("prod-dr")
KEY = "/providers/Microsoft.KeyVault/vaults/kv-agents-prod-backup/keys/copies"
CONTAINER = (
    "/providers/Microsoft.Storage/storageAccounts/stagentsprodbackup/blobServices/default/containers/secrets"
)
SECRETS = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-agents-prod/secrets"
REGISTRIES = "/providers/Microsoft.ContainerRegistry/registries"
KEPT = ("stagentsprodbackup", "secrets")
STATES = ("stagentsprodbackup", "pulumi-state")
#: What is in the group of prod beside much else: types and names as Resource Manager lists them.
USED = {
    "Microsoft.ContainerService/managedClusters": "aks-agents-prod",
    "Microsoft.KeyVault/vaults": "kv-agents-prod",
    "Microsoft.Storage/storageAccounts": "stagentsprod",
    "Microsoft.ContainerRegistry/registries": "acragentsprod",
    "Microsoft.DocumentDB/databaseAccounts": "cosmos-agents-prod",
    "Microsoft.Sql/servers": "sql-agents-prod",
    "Microsoft.OperationalInsights/workspaces": "log-agents-prod",
    "Microsoft.Monitor/accounts": "amw-agents-prod",
    "Microsoft.Network/virtualNetworks": "vnet-agents-prod",
    "microsoft.insights/actionGroups": "ag-email",
}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_now", lambda: NOW)


@pytest.fixture
def whole() -> Azure:
    """prod and prod-backup as they should be."""
    azure = ready(STAMP)
    azure.put(GROUP, {"id": GROUP})
    listed = [{"type": kind, "name": name} for kind, name in USED.items()]
    azure.put(f"{GROUP}/resources", {"value": listed})
    for path in (KEY, CONTAINER):
        azure.put(f"{GROUP}-backup{path}", {"properties": {}})
    azure.put(SECRETS, {"value": [secret("pager", "2"), secret("old", "1", enabled=False)]})
    azure.data.kept[KEPT] = [
        Blob("kv-agents-prod/pager/1", NOW - timedelta(days=9)),
        Blob("kv-agents-prod/pager/2", NOW - timedelta(hours=3)),
    ]
    azure.data.kept[STATES] = [
        Blob(f"prod/20261128T0959{second:02}Z-{'a' * 64}.json", NOW) for second in (10, 30)
    ]
    for registry, group in (("acragentsprod", GROUP), ("acragentsprodbackup", f"{GROUP}-backup")):
        azure.put(f"{group}{REGISTRIES}/{registry}", {"properties": {}})
        azure.data.pushed[registry] = {image_repository(agent): [image()] for agent in STAMP.settings.agents}
    azure.put(f"{GROUP}{REGISTRIES}/acragentsprod/replications/northeurope", {"properties": {}})
    return azure


def secret(name: str, version: str, *, enabled: bool = True) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/list"""
    uri = f"https://kv-agents-prod.vault.azure.net/secrets/{name}"
    return {
        "name": name,
        "properties": {
            "attributes": {"enabled": enabled},
            "secretUri": uri,
            "secretUriWithVersion": f"{uri}/{version}",
        },
    }


def image(digest: str = "sha256:1", tag: str | None = None) -> Image:
    return Image(digest, (tag or STAMP.settings.version,), NOW - timedelta(days=2))


def told(**recovery: Any) -> Any:
    changed = STAMP.settings.recovery.model_copy(update=recovery)
    return stack("prod-dr", recovery=changed)


def test_a_backup_of_what_is_up(whole: Azure) -> None:
    (finding,) = found(source.up, whole, BACKUP)
    assert (finding.state, finding.found) == (
        State.OK,
        "all 10 resources that copies need are in rg-agents-prod",
    )


def test_what_a_backup_refers_to_is_looked_for() -> None:
    """By the graph that was reviewed. Zones of private names come and go with the network."""
    graph = yaml.load((ROOT / "tests/infra/graph/prod-backup.yaml").read_text(), Loader=yaml.CSafeLoader)
    texts = json.dumps([one.get("inputs") for one in graph.values()])
    kinds = set(re.findall(r"/rg-agents-prod/providers/([\w.]+/\w+)/", texts))
    apart = {"Microsoft.Authorization/roleDefinitions", "Microsoft.Network/privateDnsZones"}
    assert {kind.lower() for kind in kinds - apart} == {kind.lower() for kind in USED}


def test_a_backup_of_nothing(azure: Azure) -> None:
    finding = lacking(found(source.up, azure, BACKUP))
    assert "there is no group rg-agents-prod" in finding.found
    assert finding.mend == "pulumi up --stack prod"


@pytest.mark.parametrize("kind", [one for one in USED if "actionGroups" not in one])
def test_what_is_copied_has_to_be_there(whole: Azure, kind: str) -> None:
    listed = whole.at(f"{GROUP}/resources")
    listed["value"] = [one for one in listed["value"] if one["type"] != kind]
    finding = lacking(found(source.up, whole, BACKUP))
    assert finding.found.endswith(f"is not in rg-agents-prod: {kind}/{USED[kind]}")


def test_copies_are_of_the_account_that_agents_use(whole: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    prod = stack("prod", restores=[Restore.model_validate({"as_of": "2026-11-28T09:59:30Z"})])
    monkeypatch.setattr(source, "read_source", lambda _: prod.settings)
    finding = lacking(found(source.up, whole, BACKUP))
    assert finding.found.endswith("/cosmos-agents-prod-20261128095930")


def test_a_channel_that_the_environment_does_not_have(whole: Azure) -> None:
    backup = BACKUP.settings.backup.model_copy(update={"channels": ("email", "pagerduty")})
    finding = lacking(found(source.up, whole, stack("prod-backup", backup=backup)))
    assert "has no ag-pagerduty" in finding.found
    assert finding.mend.startswith("set agents:alerts of prod and pulumi up --stack prod, or take pagerduty")


def test_every_secret_has_a_copy(whole: Azure) -> None:
    """But not one that is disabled: nobody can read it, nor is it of use to anybody."""
    (finding,) = found(copies.secrets, whole, STAMP)
    assert (finding.state, finding.found) == (
        State.OK,
        "of all 1 secrets in kv-agents-prod, the newest made 3 h ago",
    )


def test_a_secret_without_a_copy(whole: Azure) -> None:
    whole.at(SECRETS)["value"] += [secret("pager", "3"), secret("teams", "1")]
    finding = lacking(found(copies.secrets, whole, STAMP))
    assert "2 of 3 secrets in kv-agents-prod" in finding.found
    assert "pager, teams; the newest copy was made 3 h ago" in finding.found
    assert finding.mend == "docs/recovery.md, section Copies are late"


@pytest.mark.parametrize("error", [AskError("no answer", None), AskError("gone", 404)])
def test_copies_without_their_vault(whole: Azure, error: AskError) -> None:
    """That is when they are needed."""
    whole.put(SECRETS, error)
    (finding,) = found(copies.secrets, whole, STAMP)
    assert (finding.state, finding.found) == (
        State.OK,
        "of 1 secrets, the newest made 3 h ago; kv-agents-prod cannot be compared with",
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (KEY, "no key copies in vault kv-agents-prod-backup"),
        (CONTAINER, "no container secrets in account stagentsprodbackup"),
    ],
)
def test_no_copies_can_be_had(whole: Azure, path: str, words: str) -> None:
    whole.put(f"{GROUP}-backup{path}", None)
    finding = lacking(found(copies.secrets, whole, STAMP))
    assert words in finding.found
    assert finding.mend == (
        "pulumi up --stack prod-backup, while prod is whole; or without them: "
        "pulumi config set --stack prod-dr --path agents:recovery.secrets none"
    )


def test_copies_of_another_vault_are_none(whole: Azure) -> None:
    whole.data.kept[KEPT] = [Blob("kv-agents-dev/pager/2", NOW)]
    assert "has none of vault kv-agents-prod" in lacking(found(copies.secrets, whole, STAMP)).found


def test_copies_that_are_not_wanted() -> None:
    assert states(found(copies.secrets, Azure({}), told(secrets="none"))) == [State.OK]


def test_who_cannot_see_copies_is_held_up_by_nothing(whole: Azure) -> None:
    whole.data.kept.clear()
    whole.data.pushed.clear()
    for look in (copies.secrets, copies.state, copies.images):
        (finding,) = found(look, whole, STAMP)
        assert finding.state is State.CHECK
        assert finding.found.startswith("could not be looked at: ")
        assert ": az " in finding.mend


def test_the_newest_copy_of_the_state(whole: Azure) -> None:
    (finding,) = found(copies.state, whole, STAMP)
    assert finding.found == "2 of prod's, the newest saved 2 h ago"


def test_no_copy_of_the_state(whole: Azure) -> None:
    whole.data.kept[STATES] = [Blob(f"prod-dr/20261128T095930Z-{'a' * 64}.json", NOW), Blob("prod/x", NOW)]
    (finding,) = found(copies.state, whole, STAMP)
    assert finding.state is State.CHECK
    assert finding.mend == "uv run python -m infra.recovery.state save --stack prod"


@pytest.mark.parametrize(("images", "registry"), [("replica", "acragentsprod"), ("backup", None)])
def test_every_agents_image(whole: Azure, images: str, registry: str | None) -> None:
    (finding,) = found(copies.images, whole, told(images=images))
    registry = registry or "acragentsprodbackup"
    version = STAMP.settings.version
    assert finding.found == f"{version} of all 5 in {registry}, the oldest of 2 days ago"


@pytest.mark.parametrize(
    ("images", "registry", "up"),
    [
        ("replica", "acragentsprod", "pulumi up --stack prod"),
        ("backup", "acragentsprodbackup", "pulumi up --stack prod-backup"),
    ],
)
def test_an_image_that_is_not_there(whole: Azure, images: str, registry: str, up: str) -> None:
    listed = whole.data.pushed[registry]
    assert isinstance(listed, dict)
    del listed["agents-api-devops"]
    listed["agents-api-servicedesk"] = [image(tag="0.9.0")]
    finding = lacking(found(copies.images, whole, told(images=images)))
    assert {"agents-api-devops", "agents-api-servicedesk"} == set(
        finding.found.partition(" of ")[2].split(", ")
    )
    assert finding.mend == up


def test_an_image_by_its_digest(whole: Azure) -> None:
    assert states(found(copies.images, whole, told(digest="sha256:1"))) == [State.OK]
    assert "has no sha256:2 of" in lacking(found(copies.images, whole, told(digest="sha256:2"))).found


def test_a_registry_that_is_lost_with_its_region(whole: Azure) -> None:
    whole.put(f"{GROUP}{REGISTRIES}/acragentsprod/replications/northeurope", None)
    finding = lacking(found(copies.images, whole, STAMP))
    assert "has no replica in northeurope" in finding.found
    assert finding.mend.endswith("pulumi config set --stack prod-dr --path agents:recovery.images backup")
    whole.put(f"{GROUP}{REGISTRIES}/acragentsprod", None)
    assert "there is no registry acragentsprod" in lacking(found(copies.images, whole, STAMP)).found


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=119, seconds=59), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47, minutes=59), "47 h ago"),
        (timedelta(hours=48), "2 days ago"),
        (timedelta(seconds=-5), "0 min ago"),
    ],
)
def test_ages(age: timedelta, words: str) -> None:
    assert copies._ago(NOW - age) == words
