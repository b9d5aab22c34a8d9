from __future__ import annotations

import pulumi
import pytest

from infra.cloud import WELL_KNOWN, parse_metadata, read_cloud

METADATA = {
    "name": "Custom",
    "resourceManager": "https://management.example.test/",
    "suffixes": {
        "acrLoginServer": ".azurecr.example.test",
        "keyVaultDns": "vault.example.test",
        "storage": "storage.example.test",
        "sqlServerHostname": "database.example.test",
    },
}


def test_the_public_cloud_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARM_METADATA_HOSTNAME", raising=False)
    monkeypatch.delenv("ARM_ENVIRONMENT", raising=False)
    assert read_cloud() == WELL_KNOWN["public"]
    assert read_cloud().domain is None


def test_a_custom_cloud_says_its_suffixes_itself() -> None:
    cloud = parse_metadata(METADATA)
    assert cloud.registry_suffix == "azurecr.example.test"
    assert cloud.domain == "example.test"
    assert cloud.sql_dialect == "mssql"
    assert parse_metadata({**METADATA, "sqlDialect": "postgresql"}).sql_dialect == "postgresql"


def test_what_a_custom_cloud_does_not_list_lies_beside_its_resource_manager() -> None:
    cloud = parse_metadata(METADATA)
    assert (cloud.documents_suffix, cloud.openai_suffix, cloud.events_suffix) == (
        "documents.example.test",
        "openai.example.test",
        "eventgrid.example.test",
    )


def test_a_custom_cloud_without_a_domain_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="no domain"):
        parse_metadata({**METADATA, "resourceManager": "https://management"})


def test_an_unknown_cloud_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARM_METADATA_HOSTNAME", raising=False)
    monkeypatch.setenv("ARM_ENVIRONMENT", "atlantis")
    with pytest.raises(pulumi.RunError, match="known clouds are public"):
        read_cloud()


def test_a_metadata_host_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_METADATA_HOSTNAME", "localhost:1")
    with pytest.raises(pulumi.RunError, match="localhost:1"):
        read_cloud()
