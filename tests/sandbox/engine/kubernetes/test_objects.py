"""Objects through the real engine on a real API server."""

import json
from pathlib import Path

import pytest

from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Kind
from tests.sandbox.engine.conftest import Project

CONFIG_MAP, SECRET = Kind("", "v1", "ConfigMap"), Kind("", "v1", "Secret")
IMPORTS = "import pulumi\nimport pulumi_kubernetes as k8s\nconfig = pulumi.Config()\n"


def test_names_and_defaults_are_filled_in_and_nothing_changes_afterwards(
    cluster: Project, client: Client
) -> None:
    cluster.write(
        IMPORTS
        + """
map = k8s.core.v1.ConfigMap("settings", data={"a": "1"})
pulumi.export("name", map.metadata.name)
pulumi.export("uid", map.metadata.uid)
"""
    )
    cluster.up()
    outputs = cluster.outputs()
    assert outputs["name"].startswith("settings-")
    assert len(outputs["name"]) == len("settings-") + 8
    live = client.get(CONFIG_MAP, "default", outputs["name"])
    assert (live["data"], live["metadata"]["uid"]) == ({"a": "1"}, outputs["uid"])
    assert cluster.resource("settings")["id"] == f"default/{outputs['name']}"
    cluster.up("--refresh", "--expect-no-changes")


@pytest.mark.parametrize(("mutable", "operation"), [("false", "replaced"), ("true", "updated")])
def test_changed_data_replaces_unless_mutable(
    cluster: Project, client: Client, mutable: str, operation: str
) -> None:
    cluster.configure("kubernetes:enableConfigMapMutable", mutable)
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("named", metadata={"name": "named"}, data={"a": config.require("value")})
"""
    )
    uids = []
    for value in ("1", "2"):
        cluster.configure("value", value)
        shown = cluster.up()
        live = client.get(CONFIG_MAP, "default", "named")
        assert live["data"] == {"a": value}
        uids.append(live["metadata"]["uid"])
    assert f"1 {operation}" in shown
    assert (uids[0] == uids[1]) == (operation == "updated")


def test_removed_fields_go_away_and_others_stay(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
labels = {"mine": "1"} if config.get("label") else {}
k8s.core.v1.Namespace("space", metadata={"name": "space", "labels": labels})
"""
    )
    cluster.configure("label", "yes")
    cluster.up()
    theirs = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "space", "labels": {"theirs": "1"}},
    }
    kind = Kind("", "v1", "Namespace")
    client.apply(kind, "", theirs, manager="somebody", force=False)
    cluster.configure("label", None)
    cluster.up()
    labels = client.get(kind, "", "space")["metadata"]["labels"]
    assert "mine" not in labels
    assert labels["theirs"] == "1"


def test_secrets_stay_secret(cluster: Project, client: Client) -> None:
    cluster.pulumi("config", "set", "--secret", "word", "hunter2")
    cluster.write(
        IMPORTS
        + """
word = {"word": config.require_secret("word")}
secret = k8s.core.v1.Secret("word", metadata={"name": "word"}, string_data=word)
map = k8s.core.v1.ConfigMap("copy", metadata={"name": "copy"}, data=word)
pulumi.export("data", map.data)
"""
    )
    shown = cluster.pulumi("preview", "--diff") + cluster.up() + cluster.pulumi("stack", "output")
    assert "hunter2" not in shown
    assert client.get(SECRET, "default", "word")["data"] == {"word": "aHVudGVyMg=="}
    stored = cluster.pulumi("stack", "export")
    assert "hunter2" not in stored
    assert "aHVudGVyMg==" not in stored
    cluster.up("--refresh", "--expect-no-changes")
    assert "hunter2" not in cluster.pulumi("stack", "export")


def test_drift_is_found_and_healed(cluster: Project, client: Client) -> None:
    cluster.configure("kubernetes:enableConfigMapMutable", "true")
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("drifting", metadata={"name": "drifting"}, data={"a": "1", "b": "1"})
"""
    )
    cluster.up()
    client.patch(
        CONFIG_MAP,
        "default",
        "drifting",
        [
            {"op": "replace", "path": "/data/a", "value": "changed"},
            {"op": "add", "path": "/data/c", "value": "added"},
        ],
    )
    shown = cluster.up("--refresh", fails=True)
    assert "data.a" in shown
    assert "pulumi.com/patchForce" in shown
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("drifting", data={"a": "1", "b": "1"},
    metadata={"name": "drifting", "annotations": {"pulumi.com/patchForce": "true"}})
"""
    )
    cluster.up("--refresh")
    assert client.get(CONFIG_MAP, "default", "drifting")["data"] == {"a": "1", "b": "1", "c": "added"}


def test_what_was_deleted_behind_our_back_comes_back(cluster: Project, client: Client) -> None:
    cluster.write(IMPORTS + 'k8s.core.v1.ConfigMap("lost", metadata={"name": "lost"}, data={"a": "1"})\n')
    cluster.up()
    client.delete(CONFIG_MAP, "default", "lost", propagation="Background")
    cluster.up("--refresh")
    assert client.get(CONFIG_MAP, "default", "lost")["data"] == {"a": "1"}


def test_an_existing_object_is_refused_unless_an_interrupted_run_made_it(
    cluster: Project, client: Client
) -> None:
    cluster.write(IMPORTS + 'k8s.core.v1.ConfigMap("taken", metadata={"name": "taken"}, data={"a": "1"})\n')
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken"}, "data": {"a": "0"}}
    client.create(CONFIG_MAP, "default", theirs, manager="somebody")
    assert 'configmaps "taken" already exists' in cluster.up(fails=True)
    client.delete(CONFIG_MAP, "default", "taken", propagation="Background")

    cluster.up()
    state = json.loads(cluster.pulumi("stack", "export"))
    kept = [entry for entry in state["deployment"]["resources"] if "taken" not in entry["urn"]]
    state["deployment"]["resources"] = kept  # as if the run had died before it noted the object
    (cluster.directory / "state.json").write_text(json.dumps(state))
    cluster.pulumi("stack", "import", "--file", "state.json")
    cluster.up()
    assert client.get(CONFIG_MAP, "default", "taken")["data"] == {"a": "1"}


def test_the_api_servers_refusal_is_told_at_preview(cluster: Project) -> None:
    cluster.write(IMPORTS + 'k8s.core.v1.ConfigMap("bad", metadata={"name": "Not A Name"})\n')
    shown = cluster.pulumi("preview", fails=True)
    assert 'ConfigMap "Not A Name" is invalid: metadata.name' in shown


def test_things_are_created_in_any_order(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("inside", metadata={"name": "inside", "namespace": "later"}, data={"a": "1"})
k8s.core.v1.Namespace("later", metadata={"name": "later"})
k8s.apiextensions.CustomResource("thing", api_version="example.test/v1", kind="Thing",
    metadata={"name": "thing"}, spec={"size": 3})
k8s.apiextensions.v1.CustomResourceDefinition("things", metadata={"name": "things.example.test"}, spec={
    "group": "example.test", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
        "type": "object", "x_kubernetes_preserve_unknown_fields": True}}}]})
"""
    )
    cluster.pulumi("preview")
    cluster.up()
    assert client.get(Kind("example.test", "v1", "Thing"), "default", "thing")["spec"] == {"size": 3}
    assert client.get(CONFIG_MAP, "later", "inside")["data"] == {"a": "1"}
    cluster.up("--refresh", "--expect-no-changes")


def test_a_patch_changes_what_others_made_and_gives_it_up(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.NamespacePatch("patched", metadata={"name": "kube-public", "labels": {"patched": "yes"}})
"""
    )
    cluster.up()
    kind = Kind("", "v1", "Namespace")
    assert client.get(kind, "", "kube-public")["metadata"]["labels"]["patched"] == "yes"
    cluster.pulumi("preview", "--expect-no-changes")
    cluster.pulumi("destroy", "--yes", "--skip-preview")
    assert "patched" not in client.get(kind, "", "kube-public")["metadata"]["labels"]


def test_yaml_files_and_lookups(cluster: Project) -> None:
    (cluster.directory / "objects.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-file}\ndata: {a: '1'}\n"
    )
    cluster.write(
        IMPORTS
        + """
file = k8s.yaml.ConfigFile("file", file="objects.yaml")
found = k8s.core.v1.ConfigMap.get("found", "kube-system/kube-root-ca.crt")
pulumi.export("keys", found.data.apply(lambda data: sorted(data)))
"""
    )
    cluster.up()
    assert cluster.outputs() == {"keys": ["ca.crt"]}


def test_a_cluster_that_is_not_there(cluster: Project, client: Client) -> None:
    """A preview works, an update says so, and `deleteUnreachable` forgets what was on it."""
    cluster.write(IMPORTS + 'k8s.core.v1.ConfigMap("gone", metadata={"name": "gone"}, data={"a": "1"})\n')
    cluster.up()
    working = cluster.environment["KUBECONFIG"]
    dead = cluster.directory / "dead"
    dead.write_text(Path(working).read_text().replace("https://127.0.0.1:", "https://127.0.0.9:"))
    cluster.environment["KUBECONFIG"] = str(dead)
    assert "unreachable" in cluster.pulumi("refresh", "--yes", "--skip-preview", fails=True)
    cluster.environment["PULUMI_K8S_DELETE_UNREACHABLE"] = "true"
    cluster.pulumi("refresh", "--yes", "--skip-preview")
    cluster.pulumi("preview")
    assert "unreachable" in cluster.up(fails=True)
    client.delete(CONFIG_MAP, "default", "gone", propagation="Background")
    cluster.environment["KUBECONFIG"] = working


def test_a_provider_made_in_the_same_run(cluster: Project, client: Client) -> None:
    """Its kubeconfig is not known at preview, as with a cluster that is yet to be made."""
    from sandbox.engine.command.provider import CommandPlug

    cluster.attach(CommandPlug())
    cluster.write(
        IMPORTS
        + """
from pulumi_command import local
made = local.Command("kubeconfig", create="cat $KUBECONFIG")
provider = k8s.Provider("late", kubeconfig=pulumi.Output.secret(made.stdout), namespace="kube-public")
map = k8s.core.v1.ConfigMap("late", data={"a": "1"}, opts=pulumi.ResourceOptions(provider=provider))
pulumi.export("name", map.metadata.name)
pulumi.export("namespace", map.metadata.namespace)
"""
    )
    cluster.pulumi("preview")
    cluster.up()
    outputs = cluster.outputs()
    assert outputs["namespace"] == "kube-public"
    assert client.get(CONFIG_MAP, "kube-public", outputs["name"])["data"] == {"a": "1"}
    cluster.pulumi("preview", "--expect-no-changes")


def test_a_name_the_server_makes_up_is_kept(cluster: Project, client: Client) -> None:
    cluster.configure("kubernetes:enableConfigMapMutable", "true")
    cluster.write(
        IMPORTS
        + """
map = k8s.core.v1.ConfigMap("made", metadata={"generate_name": "made-"}, data={"a": config.require("value")})
pulumi.export("name", map.metadata.name)
"""
    )
    names = []
    for value in ("1", "2"):
        cluster.configure("value", value)
        cluster.up()
        names.append(cluster.outputs()["name"])
        assert client.get(CONFIG_MAP, "default", names[-1])["data"] == {"a": value}
    assert names[0] == names[1]
    assert names[0].startswith("made-")


def test_what_the_server_drops_is_warned_of(cluster: Project) -> None:
    cluster.write(
        IMPORTS
        + """
k8s.apiextensions.CustomResource("odd", api_version="v1", kind="Service", metadata={"name": "odd"},
    spec={"clusterIP": "None", "ports": [{"port": 80}], "selecter": {"a": "b"}})
"""
    )
    assert 'unknown field "spec.selecter"' in cluster.up()


def test_imports_take_over_without_a_change(cluster: Project, client: Client) -> None:
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old"}, "data": {"a": "1"}}
    client.create(CONFIG_MAP, "default", made, manager="somebody")
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("old", metadata={"name": "old", "namespace": "default"}, data={"a": "1"},
    opts=pulumi.ResourceOptions(import_="default/old"))
"""
    )
    assert "1 imported" in cluster.up()
    cluster.pulumi("preview", "--expect-no-changes")
