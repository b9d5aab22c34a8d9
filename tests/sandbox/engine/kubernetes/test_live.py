"""From live objects back to inputs and outputs."""

from sandbox.engine.kubernetes.live import imported, outputs, refreshed
from sandbox.engine.kubernetes.managers import manager_for, ownership
from sandbox.engine.kubernetes.objects import Kind
from sandbox.engine.values import Secret


def test_what_the_server_only_spells_differently_is_no_drift() -> None:
    declared = {"spec": {"cpu": "1000m", "replicas": 2}}
    before = {"spec": {"cpu": "1", "replicas": 2, "defaulted": True}}
    assert refreshed(declared, before, before) == declared
    now = {"spec": {"cpu": "2", "replicas": 3, "defaulted": True}}
    assert refreshed(declared, before, now) == {"spec": {"cpu": "2", "replicas": 3}}


def test_list_items_are_matched_by_what_names_them() -> None:
    declared = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    before = declared
    now = [{"name": "injected"}, {"name": "b", "value": "changed"}, {"name": "a", "value": "1"}]
    assert refreshed(declared, before, now) == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "changed"},
    ]
    assert refreshed(declared, before, now[1:2]) == [{"name": "b", "value": "changed"}]


def test_plain_lists_drift_as_a_whole() -> None:
    assert refreshed(["a"], ["a"], ["a", "b"]) == ["a", "b"]
    assert refreshed(["1000m"], ["1"], ["1"]) == ["1000m"]


def test_secrets_stay_secret_when_refreshed() -> None:
    declared = {"data": Secret({"k": "old"}), "one": Secret("x")}
    now = {"data": {"k": "new"}, "one": "x"}
    assert refreshed(declared, {"data": {"k": "old"}, "one": "x"}, now) == {
        "data": Secret({"k": "new"}),
        "one": Secret("x"),
    }


def test_removed_fields_are_drift_but_write_only_ones_are_not() -> None:
    declared = {"data": {"a": "1"}, "stringData": {"b": "2"}}
    assert refreshed(declared, {"data": {"a": "1"}}, {}) == {"stringData": {"b": "2"}}


def test_data_made_from_secret_string_data_is_secret() -> None:
    live = {"kind": "Secret", "metadata": {"managedFields": [1]}, "data": {"k": "aGk="}}
    found = outputs(Kind("", "v1", "Secret"), live, {"stringData": {"k": Secret("hi")}}, "me")
    assert found["data"] == Secret({"k": "aGk="})
    assert "managedFields" not in found["metadata"]
    assert found["__fieldManager"] == "me"


def test_imports_leave_out_what_only_the_server_writes() -> None:
    live = {
        "metadata": {
            "name": "a",
            "uid": "1",
            "annotations": {"deployment.kubernetes.io/revision": "3", "x": "y"},
        },
        "spec": {},
        "status": {},
    }
    assert imported(live) == {"metadata": {"name": "a", "annotations": {"x": "y"}}, "spec": {}}


def test_fields_written_at_creation_become_applied_ones() -> None:
    live = {
        "metadata": {
            "resourceVersion": "7",
            "managedFields": [
                {"manager": "me", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}}}},
                {
                    "manager": "kubectl",
                    "operation": "Update",
                    "subresource": "scale",
                    "fieldsV1": {"f:b": {}},
                },
                {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {}},
            ],
        }
    }
    operations = ownership(live, "me")
    assert operations is not None
    assert operations[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
    first, rest = operations[1]["value"]
    assert first == {
        "manager": "me",
        "operation": "Apply",
        "fieldsV1": {"f:data": {"f:a": {}}, "f:b": {}},
    }
    assert rest["manager"] == "controller"
    live["metadata"]["managedFields"] = operations[1]["value"]
    assert ownership(live, "me") is None


def test_a_manager_is_the_same_in_every_run_unless_told_otherwise() -> None:
    urn = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::a"
    assert manager_for(urn, {}, None) == manager_for(urn, {}, None)
    assert manager_for(urn, {}, None) != manager_for(urn + "b", {}, None)
    assert manager_for(urn, {}, "kept") == "kept"
    told = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "told"}}}
    assert manager_for(urn, told, "kept") == "told"
