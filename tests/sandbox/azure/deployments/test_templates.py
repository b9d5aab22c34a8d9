"""What is refused before anything is deployed, and what waits for what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.database import Database
from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore
from sandbox.azure.deployments import request
from sandbox.azure.deployments.prepared import Prepared, prepare
from tests.sandbox.azure.deployments.templates import asked, template, thing

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
DEPLOYMENT = parse_id(f"{GROUP}/providers/Microsoft.Resources/deployments/main")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    found = SqliteStore(Database(tmp_path / "azure.db"))
    found.save(Resource(parse_id(GROUP), {"location": "westeurope"}, 0, 0))
    return found


def prepared(store: SqliteStore, made: dict[str, Any], **parameters: Any) -> Prepared:
    return prepare(DEPLOYMENT, request.read(DEPLOYMENT, asked(made, **parameters)), store)


def names(found: Prepared) -> list[str]:
    return [item.name for item in found.items]


def after(found: Prepared) -> dict[str, list[str]]:
    return {step.item.name: [id_.name for id_ in step.after] for step in found.steps}


@pytest.mark.parametrize(
    ("made", "code", "told"),
    [
        ({"contentVersion": "1.0.0.0", "resources": []}, "InvalidTemplate", "$schema"),
        ({**template(), "contentVersion": "1"}, "InvalidTemplate", "contentVersion"),
        ({**template(), "resources": {}}, "InvalidTemplate", "resources"),
        ({**template(), "nonsense": 1}, "InvalidTemplate", "nonsense"),
        ({**template(), "functions": [{"namespace": "a"}]}, "NotSupported", "functions"),
        (template(thing("a", copy={"count": 2})), "NotSupported", "copy"),
        (template({**thing("a"), "type": "Microsoft.Resources/deployments"}), "NotSupported", "nested"),
        (template({**thing("a"), "apiVersion": "latest"}), "InvalidTemplate", "apiVersion"),
        (template({**thing("a/b")}), "InvalidTemplate", "incorrect segment lengths"),
        (template(thing("a"), thing("A")), "InvalidTemplate", "multiple times"),
        (template(thing("a", dependsOn=["b"])), "InvalidTemplate", "'b' is not defined"),
        (
            template(thing("a", dependsOn=["b"]), thing("b", dependsOn=["a"])),
            "InvalidTemplate",
            "Circular dependency",
        ),
        (template(thing("a", properties={"x": "[newGuid()]"})), "InvalidTemplate", "newGuid"),
        (
            template(variables={"a": "[variables('b')]", "b": "[variables('a')]"}),
            "InvalidTemplate",
            "Circular",
        ),
        (template(variables={"a": "[reference('b')]"}), "InvalidTemplate", "reference"),
        (template(thing("[reference('b').c]")), "InvalidTemplate", "reference"),
        (template(outputs={"a": {"type": "text", "value": ""}}), "InvalidTemplate", "'a' has the type"),
        (template(outputs={"a": {"type": "string", "value": "[base64('')]"}}), "InvalidTemplate", "base64"),
        (template(parameters={"a": {"type": "float"}}), "InvalidTemplate", "float"),
        (template(parameters={"a": {"type": "string"}}), "InvalidTemplate", "'a' is not provided"),
        (template(thing("a", scope="/subscriptions/s/resourceGroups/x")), "NotSupported", "outside"),
    ],
)
def test_refusals(store: SqliteStore, made: dict[str, Any], code: str, told: str) -> None:
    with pytest.raises(ArmError) as refusal:
        prepared(store, made)
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert told in refusal.value.message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mode": "Complete"}, "NotSupported"),
        ({"mode": "Sideways"}, "InvalidRequestContent"),
        ({"template": None, "templateLink": {"uri": "https://x.test"}}, "NotSupported"),
        ({"onErrorDeployment": {"type": "LastSuccessful"}}, "NotSupported"),
        ({"template": None}, "InvalidRequestContent"),
        ({"parameters": {"a": {"reference": {}}}}, "NotSupported"),
        ({"parameters": {"a": 1}}, "InvalidTemplate"),
    ],
)
def test_requests_are_refused(store: SqliteStore, change: dict[str, Any], code: str) -> None:
    body = asked(template(parameters={"a": {"type": "int", "defaultValue": 1}}))
    body["properties"].update(change)
    with pytest.raises(ArmError) as refusal:
        prepare(DEPLOYMENT, request.read(DEPLOYMENT, body), store)
    assert refusal.value.code == code


def test_a_location_is_refused() -> None:
    with pytest.raises(ArmError, match="location"):
        request.read(DEPLOYMENT, {**asked(template()), "location": "westeurope"})


@pytest.mark.parametrize(
    ("settings", "good", "bad"),
    [
        ({"type": "string"}, "a", 1),
        ({"type": "Int"}, 1, True),
        ({"type": "bool"}, True, "true"),
        ({"type": "array"}, [1], {}),
        ({"type": "object"}, {"a": 1}, []),
        ({"type": "secureString"}, "s", 1),
        ({"type": "string", "allowedValues": ["a", "b"]}, "b", "c"),
        ({"type": "array", "allowedValues": ["a", "b"]}, ["b"], ["b", "c"]),
        ({"type": "int", "minValue": 2, "maxValue": 3}, 2, 1),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "abc", "abcd"),
    ],
)
def test_parameters(store: SqliteStore, settings: dict[str, Any], good: Any, bad: Any) -> None:
    made = template(parameters={"it": settings})
    assert prepared(store, made, IT=good).template.values.get("it") == good
    with pytest.raises(ArmError, match="it"):
        prepared(store, made, it=bad)
    with pytest.raises(ArmError, match="only supported parameters for this template are 'it'"):
        prepared(store, made, it=good, other=1)


def test_defaults_and_variables_use_each_other(store: SqliteStore) -> None:
    made = template(
        thing("[variables('name')]"),
        parameters={
            "whole": {
                "type": "string",
                "defaultValue": "[concat(parameters('part'), '-', resourceGroup().name)]",
            },
            "part": {"type": "string", "defaultValue": "x"},
        },
        variables={"name": "[concat(variables('head').a[0], parameters('whole'))]", "head": {"a": ["n-"]}},
    )
    assert names(prepared(store, made)) == ["n-x-rg"]
    assert names(prepared(store, made, part="y")) == ["n-y-rg"]


def test_secrets_are_not_shown(store: SqliteStore) -> None:
    made = template(parameters={"key": {"type": "securestring"}, "size": {"type": "int"}})
    shown = prepared(store, made, key="hush", size=1).shown()["parameters"]
    assert shown == {"key": {"type": "SecureString"}, "size": {"type": "Int", "value": 1}}


def test_equal_templates_have_equal_hashes(store: SqliteStore) -> None:
    one, other = template(thing("a")), template(thing("b"))
    again = dict(reversed(one.items()))
    assert prepared(store, one).template.hash == prepared(store, again).template.hash
    assert prepared(store, one).template.hash != prepared(store, other).template.hash


def test_dependencies_by_name_id_type_and_reference(store: SqliteStore) -> None:
    made = template(
        thing("e", properties={"x": "[reference('d').y]"}),
        thing("d", dependsOn=["Microsoft.Test/things/c"]),
        thing("c", dependsOn=["[resourceId('Microsoft.Test/things', 'b')]"]),
        thing("b", dependsOn=["a"]),
        thing("a"),
    )
    found = prepared(store, made)
    assert names(found) == ["a", "b", "c", "d", "e"]
    assert after(found) == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["d"]}


def test_nested_resources_have_whole_names_and_do_not_wait(store: SqliteStore) -> None:
    part = {"type": "parts", "apiVersion": "2024-01-01", "name": "p", "properties": {"n": 1}}
    made = template(thing("a", resources=[part, {**part, "name": "q", "dependsOn": ["a"]}]))
    found = prepared(store, made)
    ids = {item.id.text for item in found.items}
    assert f"{GROUP}/providers/Microsoft.Test/things/a/parts/p" in ids
    assert after(found) == {"a": [], "a/p": [], "a/q": ["a"]}
    assert next(item.body for item in found.items if item.name == "a/p") == {"properties": {"n": 1}}


def test_what_has_a_false_condition_is_left_out(store: SqliteStore) -> None:
    made = template(
        thing("a", condition="[parameters('on')]"),
        thing("b", dependsOn=["a"]),
        parameters={"on": {"type": "bool"}},
    )
    assert after(prepared(store, made, on=False)) == {"b": []}
    assert after(prepared(store, made, on=True)) == {"a": [], "b": ["a"]}


def test_extensions_lie_on_their_scope(store: SqliteStore) -> None:
    lock = {"type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-01", "name": "l"}
    whole = "[resourceId('Microsoft.Test/things', 'a')]"
    expected = f"{GROUP}/providers/Microsoft.Test/things/a/providers/Microsoft.Authorization/locks/l"
    for scope in (whole, "Microsoft.Test/things/a"):
        found = prepared(store, template({**lock, "scope": scope}))
        assert found.items[0].id.text == expected
    older = {**lock, "type": "Microsoft.Test/things/providers/locks", "name": "a/Microsoft.Authorization/l"}
    assert prepared(store, template(older)).items[0].id.text == expected
