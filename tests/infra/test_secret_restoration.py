"""Secrets of a source: asked whether there are copies, said when there are none, and a Job of its own."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from infra.azure import resource_manager
from infra.cloud import WELL_KNOWN
from infra.settings import Settings, parse
from infra.settings.recovery import RecoverySettings
from infra.stacks import secret_copies
from infra.stacks.source import Source
from tests.infra.test_takeover import PROD
from tests.infra.workload import container, declared, of

RG = "resourceGroups/rg-agents-prod-backup/providers"
KEY = f"{RG}/Microsoft.KeyVault/vaults/kv-agents-prod-backup/keys/copies"
CONTAINER = (
    f"{RG}/Microsoft.Storage/storageAccounts/stagentsprodbackup/blobServices/default/containers/secrets"
)


def _settings(**recovery: Any) -> Settings:
    values = {key.rpartition(":")[2]: value for key, value in PROD.items()}
    own = {"environment": "prod-dr", "source": "prod", "recovery": RecoverySettings(**recovery)}
    return parse(values, "prod").model_copy(update=own)


def _source() -> Source:
    values = {key.rpartition(":")[2]: value for key, value in PROD.items()}
    return Source(parse(values, "prod"), WELL_KNOWN["public"])


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({KEY, CONTAINER}, []),
        ({CONTAINER}, ["key copies in vault kv-agents-prod-backup"]),
        ({KEY}, ["container secrets in account stagentsprodbackup"]),
    ],
    ids=["both", "no key", "no container"],
)
def test_without_copies_or_their_key_a_stamp_comes_up_and_says_so(
    there: set[str], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    monkeypatch.setattr(
        resource_manager, "reader", lambda cloud: lambda path, version: {} if path in there else None
    )
    assert secret_copies.found(_settings(), _source()) == (missing == [])
    assert len(said) == len(missing)
    for one, text in zip(missing, said, strict=True):
        assert "prod-dr comes up without the secrets of prod" in text
        assert f"there is no {one} that whoever deploys may read" in text
        assert "pulumi config set --stack prod-dr --path agents:recovery.secrets none" in text


@pytest.mark.parametrize(
    "recovery", [{"secrets": "none"}, {"phase": "drained"}, {"phase": "returned"}], ids=str
)
def test_where_no_secrets_are_wanted_nobody_is_asked(
    recovery: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(cloud: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(resource_manager, "reader", reader)
    assert not secret_copies.found(_settings(**recovery), _source())


def test_the_job_is_told_from_where_to_where_and_what_to_leave_alone() -> None:
    ((name, job),) = [one for one in of(declared(kept=["b", "a"]), "Job").items() if "secret" in one[0]]
    only = container(job["spec"]["template"])
    assert only["command"] == ["python", "-m", "app.backup.restore"]
    assert {one["name"]: one["value"] for one in only["env"]} == {
        "Source__VaultUri": "https://kv-source.example/",
        "Copies__Endpoint": "https://copies.example/",
        "Copies__Key": "https://kv-backup.example/keys/copies",
        "Target__VaultUri": "https://kv.example",
        "Target__Kept": json.dumps(["a", "b"]),
    }
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "secret-restoration"
    assert len(name) <= 63


def test_it_reaches_services_and_no_database() -> None:
    ways = {name for name in of(declared(kept=()), "NetworkPolicy") if name.startswith("secret-")}
    assert ways == {"secret-restoration-to-identity", "secret-restoration-to-services"}
