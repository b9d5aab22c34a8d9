"""Regions that take databases, names that are free, and what lies outside of Resource Manager."""

from __future__ import annotations

from typing import Any

import pytest

from infra.preflight.checks import (
    databases,
    deleted,
    reach,
)
from infra.preflight.report import State
from tests.infra.preflight import recorded
from tests.infra.preflight.recorded import (
    GROUP,
    SUBSCRIPTION,
    Azure,
    found,
    lacking,
    stack,
    states,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"isSubscriptionRegionAccessAllowedForRegular": False}, "takes no accounts"),
        ({"isSubscriptionRegionAccessAllowedForAz": False}, "takes no zone-redundant accounts"),
        ({"supportsAvailabilityZone": False}, "has no availability zones"),
    ],
)
def test_regions_that_are_closed_to_cosmos_db(azure: Azure, change: dict[str, bool], words: str) -> None:
    listed = azure.at("/providers/Microsoft.DocumentDB/locations")["value"]
    listed[1] = recorded.cosmos("northeurope", **change)
    finding = lacking(found(databases.cosmos, azure))
    assert (finding.about, words in finding.found) == ("cosmos db in northeurope", True)


def test_without_zones_only_the_region_must_be_open(azure: Azure) -> None:
    listed = azure.at("/providers/Microsoft.DocumentDB/locations")["value"]
    listed[0] = recorded.cosmos("westeurope", isSubscriptionRegionAccessAllowedForAz=False)
    assert states(found(databases.cosmos, azure, stack("dev"))) == [State.OK]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (recorded.sql("GP_Gen5_2", status="Visible"), "takes no servers"),
        (recorded.sql("GP_Gen5_4"), "it is not offered"),
        (recorded.sql("GP_Gen5_2", status="Available", reason="full"), None),
        (recorded.sql("GP_Gen5_2", zoneRedundant=False), "cannot be zone-redundant"),
    ],
)
def test_what_a_region_offers_of_sql(azure: Azure, answer: Any, words: str | None) -> None:
    azure.put("/providers/Microsoft.Sql/locations/westeurope/capabilities", answer)
    first, second = found(databases.sql, azure)
    assert second.state is State.OK
    assert first.state is (State.OK if words is None else State.MISSING)
    assert words is None or words in first.found


def test_only_the_first_copy_must_be_zone_redundant(azure: Azure) -> None:
    answer = recorded.sql("GP_Gen5_2", zoneRedundant=False)
    azure.put("/providers/Microsoft.Sql/locations/northeurope/capabilities", answer)
    assert states(found(databases.sql, azure)) == [State.OK, State.OK]


def test_an_objective_that_is_only_shown_is_not_to_be_had(azure: Azure) -> None:
    answer = recorded.sql("GP_Gen5_2", reason="Provisioning is restricted")
    objective = answer["supportedServerVersions"][0]["supportedEditions"][0][
        "supportedServiceLevelObjectives"
    ][0]
    objective["status"] = "Visible"
    azure.put("/providers/Microsoft.Sql/locations/northeurope/capabilities", answer)
    assert "Provisioning is restricted" in lacking(found(databases.sql, azure)).found


def vault(location: str, group: str = "rg-agents-prod", **properties: Any) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-deleted"""
    vaults = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults"
    told = {
        "vaultId": f"{vaults}/kv-agents-prod",
        "location": location,
        "scheduledPurgeDate": "2027-01-01T00:00:00Z",
    }
    return {"name": "kv-agents-prod", "properties": {**told, **properties}}


def test_a_deleted_vault_of_the_stack_is_recovered(azure: Azure) -> None:
    listed = azure.at("/providers/Microsoft.KeyVault/deletedVaults")["value"]
    listed += [vault("westeurope"), vault("westeurope") | {"name": "kv-of-somebody"}]
    (finding,) = found(deleted.vault, azure)
    assert finding.state is State.OK
    assert "recovers it" in finding.found


@pytest.mark.parametrize(
    ("held", "mend"),
    [
        (vault("northeurope"), "az keyvault purge --name kv-agents-prod --location northeurope"),
        (vault("westeurope", "rg-other"), "az keyvault purge --name kv-agents-prod --location westeurope"),
        (
            vault("northeurope", purgeProtectionEnabled=True),
            "pulumi config set --stack prod agents:suffix SUFFIX",
        ),
    ],
)
def test_a_vault_that_was_deleted_elsewhere_holds_the_name(azure: Azure, held: Any, mend: str) -> None:
    azure.at("/providers/Microsoft.KeyVault/deletedVaults")["value"].append(held)
    assert lacking(found(deleted.vault, azure)).mend == mend


def openai(name: str, location: str, group: str = "rg-agents-prod") -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/deleted-accounts/list"""
    place = (
        f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/{location}/resourceGroups/{group}"
    )
    return {"name": name, "location": location, "id": f"{place}/deletedAccounts/{name}"}


def test_deleted_accounts(azure: Azure) -> None:
    listed = azure.at("/providers/Microsoft.CognitiveServices/deletedAccounts")["value"]
    assert states(found(deleted.accounts, azure)) == [State.OK]
    listed += [openai("oai-agents-prod", "westeurope"), openai("oai-agents-prod-backup", "westeurope")]
    restored, held = found(deleted.accounts, azure)
    assert restored.state is State.OK
    assert held.mend == (
        "az cognitiveservices account purge --name oai-agents-prod-backup --location westeurope "
        "--resource-group rg-agents-prod"
    )


def test_a_domain_must_be_named_where_the_cloud_has_none(azure: Azure) -> None:
    assert (
        lacking(found(reach.domain, azure)).mend == "pulumi config set --stack prod agents:domain example.com"
    )
    assert states(found(reach.domain, azure, domain="azure.test")) == [State.OK]


def test_the_delegation_is_the_readers_to_see(azure: Azure) -> None:
    named = stack(domain="example.com")
    (before,) = found(reach.domain, azure, named)
    assert (before.state, before.mend) == (
        State.CHECK,
        "after the deployment: pulumi stack output nameServers --stack prod",
    )
    servers = {"properties": {"nameServers": ["ns2.azure-dns.net.", "ns1.azure-dns.net."]}}
    azure.put(f"{GROUP}/providers/Microsoft.Network/dnsZones/example.com", servers)
    (after,) = found(reach.domain, azure, named)
    assert after.found == "example.com must be delegated to ns1.azure-dns.net. ns2.azure-dns.net."
    assert after.mend == "dig +short NS example.com"


def test_a_private_network_needs_a_way_in(azure: Azure) -> None:
    assert [(one.about, one.state) for one in found(reach.network, azure)] == [
        ("network", State.CHECK),
        ("image", State.CHECK),
    ]
    assert states(found(reach.network, azure, domain="azure.test")) == [State.OK]
    assert states(found(reach.network, azure, stack("dev"))) == [State.OK]


def test_a_passphrase_is_worth_a_look(azure: Azure) -> None:
    (finding,) = found(reach.secrets, azure)
    assert finding.state is State.CHECK
    assert finding.mend.startswith("pulumi stack init prod --secrets-provider azurekeyvault://")
