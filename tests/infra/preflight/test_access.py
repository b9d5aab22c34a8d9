"""Who is signed in, what they may do, and what the subscription and its regions have for them."""

from __future__ import annotations

from typing import Any

import pytest

from infra.preflight.checks import (
    account,
    providers,
    rights,
)
from infra.preflight.report import State
from tests.infra.preflight import recorded
from tests.infra.preflight.recorded import (
    GROUP,
    OPERATOR,
    SUBSCRIPTION,
    Azure,
    found,
    lacking,
    states,
)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (recorded.subscription("Disabled"), "is Disabled"),
        (recorded.subscription("Warned"), "is Warned"),
        (recorded.subscription(quota="FreeTrial_2014-09-01"), "free offer"),
    ],
)
def test_a_subscription_that_takes_nothing(azure: Azure, told: dict[str, Any], words: str) -> None:
    azure.put("", told)
    assert words in lacking(found(account.subscription, azure)).found


def test_an_enabled_subscription(azure: Azure) -> None:
    assert states(found(account.subscription, azure)) == [State.OK]


def test_program_and_cli_must_be_one_identity(azure: Azure) -> None:
    assert states(found(account.identity, azure)) == [State.OK]
    assert states(found(account.identity, azure, acts_as=OPERATOR.user)) == [State.OK]
    finding = lacking(found(account.identity, azure, acts_as="an-application"))
    assert finding.mend == "az login --service-principal --username an-application --tenant tenant"


def test_an_owner_may_do_everything(azure: Azure) -> None:
    findings = found(rights.rights, azure)
    assert states(findings) == [State.OK] * 5
    assert [finding.about for finding in findings] == [
        "rights: resources",
        "rights: role assignments",
        "rights: locks",
        "rights: restores",
        "rights: backups",
    ]


def test_a_contributor_may_neither_assign_roles_nor_lock(azure: Azure) -> None:
    permissions = azure.at("/providers/Microsoft.Authorization/permissions")
    permissions["value"] = [recorded.CONTRIBUTOR]
    resources, assignments, locks, *_ = found(rights.rights, azure)
    assert resources.state is State.OK
    assert assignments.state is locks.state is State.MISSING
    assert assignments.mend == (
        f"az role assignment create --assignee {OPERATOR.user} "
        f'--role "Role Based Access Control Administrator" --scope {SUBSCRIPTION}'
    )
    assert "Microsoft.Authorization/locks/delete" in locks.found


def test_what_one_role_excludes_another_grants(azure: Azure) -> None:
    permissions = azure.at("/providers/Microsoft.Authorization/permissions")
    administrator = {
        "actions": ["Microsoft.Authorization/roleAssignments/*", "Microsoft.Authorization/locks/*"]
    }
    permissions["value"] = [recorded.CONTRIBUTOR, administrator]
    assert states(found(rights.rights, azure)) == [State.OK] * 5


@pytest.mark.parametrize(
    ("pattern", "grants"),
    [
        ("Microsoft.Sql/*", True),
        ("microsoft.sql/servers/WRITE", True),
        ("*/write", True),
        ("Microsoft.Sql/servers", False),
        ("Microsoft.Sql/servers/*/write", False),
        ("Microsoft.SqlX/*", False),
    ],
)
def test_what_a_pattern_covers(pattern: str, grants: bool) -> None:
    assert rights.granted([{"actions": [pattern]}], "Microsoft.Sql/servers/write") is grants


def test_a_reader_lacks_writing(azure: Azure) -> None:
    azure.at("/providers/Microsoft.Authorization/permissions")["value"] = [{"actions": ["*/read"]}]
    resources, *_ = found(rights.rights, azure)
    assert resources.state is State.MISSING
    assert '--role "Contributor"' in resources.mend
    assert "and " in resources.found
    assert "/read" not in resources.found


def test_rights_in_the_group_suffice_once_it_is_there(azure: Azure) -> None:
    azure.put(GROUP, {"id": GROUP})
    azure.put(f"{GROUP}/providers/Microsoft.Authorization/permissions", {"value": [recorded.OWNER]})
    azure.at("/providers/Microsoft.Authorization/permissions")["value"] = []
    *own, restores, backups = found(rights.rights, azure)
    assert states(own) == [State.OK] * 3
    assert restores.state is backups.state is State.MISSING


def test_whoever_restores_needs_the_subscriptions_backups(azure: Azure) -> None:
    """Reader sees backups, and restores from none."""
    azure.put(GROUP, {"id": GROUP})
    azure.put(f"{GROUP}/providers/Microsoft.Authorization/permissions", {"value": [recorded.OWNER]})
    permissions = azure.at("/providers/Microsoft.Authorization/permissions")
    permissions["value"] = [{"actions": ["*/read"]}]
    finding = lacking(found(rights.rights, azure))
    assert finding.about == "rights: restores"
    assert finding.found.endswith("restorableDatabaseAccounts/restore/action")
    assert finding.mend.endswith(f'--role "CosmosRestoreOperator" --scope {SUBSCRIPTION}')
    operator = "Microsoft.DocumentDB/locations/restorableDatabaseAccounts/restore/action"
    permissions["value"].append({"actions": [operator]})
    assert states(found(rights.rights, azure)) == [State.OK] * 5


@pytest.mark.parametrize(
    ("name", "abouts"),
    [
        ("prod-backup", ["resources", "role assignments", "role definitions"]),
        ("prod-dr", ["resources", "role assignments"]),
    ],
)
def test_stacks_of_an_environment_need_rights_in_its_group(name: str, abouts: list[str]) -> None:
    of = recorded.stack(name)
    azure = recorded.ready(of)
    azure.put(GROUP, {"id": GROUP})
    azure.put(f"{GROUP}/providers/Microsoft.Authorization/permissions", {"value": [recorded.OWNER]})
    assert set(states(found(rights.rights, azure, of))) == {State.OK}
    azure.put(f"{GROUP}/providers/Microsoft.Authorization/permissions", {"value": [{"actions": ["*/read"]}]})
    lacked = [one for one in found(rights.rights, azure, of) if one.state is State.MISSING]
    assert [one.about for one in lacked] == [f"rights in prod: {about}" for about in abouts]
    assert all(one.mend.endswith(f"--scope {SUBSCRIPTION}{GROUP}") for one in lacked)


def test_a_stamp_needs_rights_in_the_group_of_the_copies() -> None:
    of = recorded.stack("prod-dr")
    azure = recorded.ready(of)
    at = f"{GROUP}-backup"
    azure.put(at, {"id": at})
    azure.put(f"{at}/providers/Microsoft.Authorization/permissions", {"value": [{"actions": ["*/read"]}]})
    lacked = [one for one in found(rights.rights, azure, of) if one.state is State.MISSING]
    assert [one.about for one in lacked] == [
        "rights in prod-backup: resources",
        "rights in prod-backup: role assignments",
        "rights in prod-backup: role definitions",
    ]
    assert lacked[-1].mend == (
        f"az role assignment create --assignee {OPERATOR.user} "
        f'--role "User Access Administrator" --scope {SUBSCRIPTION}{at}'
    )


def test_providers_that_are_not_registered(azure: Azure) -> None:
    listed = azure.at("/providers")["value"]
    named = {provider["namespace"]: provider for provider in listed}
    named["Microsoft.Dashboard"]["registrationState"] = "NotRegistered"
    named["Microsoft.Monitor"]["registrationState"] = "Registering"
    named["Microsoft.Resources"] |= {
        "registrationState": "NotRegistered",
        "registrationPolicy": "RegistrationFree",
    }
    finding = lacking(found(providers.registered, azure))
    assert finding.found.endswith("Microsoft.Dashboard, Microsoft.Monitor")
    first, second = finding.mend.split(" && ")
    assert first.endswith("--namespace Microsoft.Dashboard")
    assert second.startswith("az provider register --wait --subscription 00000000")


def test_all_providers_are_registered(azure: Azure) -> None:
    assert states(found(providers.registered, azure)) == [State.OK]


def test_a_type_that_the_region_does_not_offer(azure: Azure) -> None:
    assert states(found(providers.offered, azure)) == [State.OK]
    for provider in azure.at("/providers")["value"]:
        for one in provider["resourceTypes"]:
            if one["locations"]:
                one["locations"].append("Sweden Central")
            if one["resourceType"] == "grafana":
                one["locations"].remove("West Europe")
    finding = lacking(found(providers.offered, azure))
    assert finding.found == "Microsoft.Dashboard/grafana is not offered in westeurope"
    assert finding.mend == "pulumi config set --stack prod azure-native:location swedencentral"


def test_a_type_that_the_paired_region_does_not_offer(azure: Azure) -> None:
    for provider in azure.at("/providers")["value"]:
        for one in provider["resourceTypes"]:
            if one["resourceType"] == "registries/replications":
                one["locations"] = ["West Europe", "Sweden Central"]
            elif one["locations"]:
                one["locations"].append("Sweden Central")
    finding = lacking(found(providers.offered, azure))
    assert "registries/replications" in finding.found
    assert finding.mend == "pulumi config set --stack prod agents:paired_location swedencentral"
