"""The types table against the SDK's sources and the management packages' URLs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.types import sdkshapes, table
from sandbox.types.armtype import ArmType
from sandbox.types.rows.functions import FUNCTIONS

ROWS = [pytest.param(row, id=row.type) for row in table.ROWS]
FROM_SDK = [pytest.param(row, id=row.type) for row in table.ROWS if row.pulumi]
SCOPE = "/subscriptions/s/resourceGroups/g"


def test_every_type_and_token_has_one_row() -> None:
    types = [name.lower() for row in table.ROWS for name in row.types]
    tokens = [row.pulumi for row in table.ROWS if row.pulumi]
    assert len(types) == len(set(types))
    assert len(tokens) == len(set(tokens))
    assert len(tokens) >= 57


@pytest.mark.parametrize("row", FROM_SDK)
def test_the_sdk_has_the_paths_parameters_and_the_replacing_properties(row: ArmType) -> None:
    assert row.pulumi
    inputs = {item.name for item in sdkshapes.resource_properties(row.pulumi)[0]}
    assert set(row.parameters) - {"subscriptionId"} <= inputs
    assert {path.partition(".")[0] for path in (*row.replace_on, *row.keep_unset, *row.shared)} <= inputs


@pytest.mark.parametrize("row", ROWS)
def test_ids_are_parsed_and_formatted(row: ArmType) -> None:
    values = {name: f"a-{name}" for name in row.parameters}
    values |= {name: SCOPE for name in ("scope", "resourceUri") if name in values}
    if "recordType" in values:
        values["recordType"] = row.record_types[-1]
    text = row.format(values)
    parsed = row.parse(text.upper())
    assert parsed is not None
    assert {name: f"/{value.strip('/')}".lower() for name, value in parsed.items()} == {
        name: f"/{value.strip('/')}".lower() for name, value in values.items()
    }
    assert table.by_id(text) is row


@pytest.mark.parametrize("row", ROWS)
def test_a_missing_parameter_is_named(row: ArmType) -> None:
    with pytest.raises(KeyError, match=row.parameters[0]):
        row.format({})


def _urls() -> Iterator[str]:
    """URL templates of the management packages, parameters' names aside."""
    import azure.mgmt.network

    root = Path(azure.mgmt.network.__file__).parents[1]
    for file in root.glob("**/operations/*.py"):
        for url in re.findall(r'"(/[^"]*providers/Microsoft[^"]*)"', file.read_text(encoding="utf-8")):
            yield re.sub(r"\{[^}]*\}", "{}", url).lower()


def test_the_management_packages_know_the_paths() -> None:
    known = set(_urls())
    missing = set()
    for row in table.ROWS:
        path = re.sub(r"\{(?!recordType)[^}]*\}", "{}", row.path).lower()
        candidates = {path.replace("{recordtype}", kind.lower()) for kind in (*row.record_types, "{}")}
        candidates |= {url.replace("/default/", "/{}/").removesuffix("/default") for url in candidates}
        singles = {re.sub(r"/\{\}$", "/default", url) for url in candidates}
        if not known & (candidates | singles):
            missing.add(row.type)
    # No management package speaks of these two any more; groups have no provider in their path.
    assert missing <= {"Microsoft.Resources/resourceGroups", "Microsoft.Insights/diagnosticSettings"}


@pytest.mark.parametrize(
    ("token", "type_name"),
    [
        ("azure-native:keyvault:Vault", "Microsoft.KeyVault/vaults"),
        ("azure-native:keyvault/v20230201:Vault", "Microsoft.KeyVault/vaults"),
        ("azure-native:keyvault/v20241201preview:Vault", "Microsoft.KeyVault/vaults"),
        ("azure-native:keyvault:Vaults", None),
    ],
)
def test_tokens(token: str, type_name: str | None) -> None:
    row = table.by_token(token)
    assert (row.type if row else None) == type_name


def test_record_types_share_a_row() -> None:
    row = table.by_arm_type("microsoft.network/dnszones/cname")
    assert row is not None
    assert row.parse(f"{SCOPE}/providers/Microsoft.Network/dnsZones/z/CNAME/www") is not None
    assert row.parse(f"{SCOPE}/providers/Microsoft.Network/dnsZones/z/BOGUS/www") is None


@pytest.mark.parametrize("version", ["2024-11-01", "2019-04-01-preview", "2026-01-15-preview"])
def test_versions_that_look_like_one_are_accepted(version: str) -> None:
    row = table.by_arm_type("Microsoft.KeyVault/vaults")
    assert row is not None
    assert row.accepts(version)


@pytest.mark.parametrize("version", ["", "latest", "2024-11", "2024-11-01-", "1999-01-01", "24-11-01"])
def test_other_versions_are_not(version: str) -> None:
    row = table.by_arm_type("Microsoft.KeyVault/vaults")
    assert row is not None
    assert not row.accepts(version)


def test_functions_act_on_types_of_the_table() -> None:
    for token, function in FUNCTIONS.items():
        row = table.by_token(function.resource)
        assert row is not None, token
        assert token.rpartition(":")[0] == function.resource.rpartition(":")[0]
