"""Which changes replace an object, and what counts as a change."""

import pytest

from sandbox.engine.kubernetes.diff import changes, shown
from sandbox.engine.kubernetes.objects import Kind, parse_token
from sandbox.engine.kubernetes.rules import covers, replacing
from sandbox.engine.kubernetes.settings import settings
from sandbox.engine.values import UNKNOWN

PLAIN = settings({}, {}, None)
MUTABLE = settings({"enableConfigMapMutable": "true", "enableSecretMutable": "true"}, {}, None)
CONTAINER = "spec.containers[0]"


@pytest.mark.parametrize(
    ("kind", "path", "replaces"),
    [
        ("core/v1:ConfigMap", "data.a", True),
        ("core/v1:ConfigMap", "binaryData", True),
        ("core/v1:ConfigMap", "metadata.labels.a", False),
        ("core/v1:ConfigMap", "metadata.name", True),
        ("core/v1:ConfigMap", "metadata.namespace", True),
        ("core/v1:Secret", "stringData.a", True),
        ("core/v1:Secret", "type", True),
        ("core/v1:Service", "spec.clusterIP", True),
        ("core/v1:Service", "spec.ports[0].port", False),
        ("core/v1:PersistentVolumeClaim", "spec.accessModes[0]", True),
        ("core/v1:PersistentVolumeClaim", "spec.resources.requests.storage", False),
        ("core/v1:Pod", f"{CONTAINER}.image", True),
        ("core/v1:Pod", "spec.containers[3].env[1].value", True),
        ("core/v1:Pod", "spec.tolerations[0]", False),
        ("apps/v1:Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1:Deployment", "spec.template.spec.containers[0].image", False),
        ("apps/v1:StatefulSet", "spec.volumeClaimTemplates[0].spec", True),
        ("apps/v1:StatefulSet", "spec.replicas", False),
        ("batch/v1:Job", "spec.template.spec.containers[0].image", True),
        ("batch/v1:Job", "spec.suspend", False),
        ("batch/v1:CronJob", "spec.jobTemplate.spec.template", False),
        ("rbac.authorization.k8s.io/v1:RoleBinding", "roleRef.name", True),
        ("rbac.authorization.k8s.io/v1:ClusterRoleBinding", "subjects[0].name", False),
        ("storage.k8s.io/v1:StorageClass", "parameters.a", True),
        ("cert-manager.io/v1:Certificate", "spec.dnsNames[0]", False),
    ],
)
def test_what_replaces(kind: str, path: str, replaces: bool) -> None:
    steps = tuple(
        int(step) if step.isdigit() else step for step in path.replace("[", ".").replace("]", "").split(".")
    )
    assert shown(steps) == path
    assert covers(replacing(parse_token(f"kubernetes:{kind}", {}).kind, {}, PLAIN), steps) == replaces


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_data_may_change_when_mutable_and_not_marked_immutable(kind: str) -> None:
    found = Kind("", "v1", kind)
    assert not covers(replacing(found, {}, MUTABLE), ("data", "a"))
    assert covers(replacing(found, {"immutable": True}, MUTABLE), ("data", "a"))


def test_a_whole_subtree_that_holds_a_rule_replaces() -> None:
    rules = replacing(Kind("apps", "v1", "Deployment"), {}, PLAIN)
    assert covers(rules, ("spec",))
    assert not covers(rules, ("spec", "template"))


def test_changes_name_paths_and_kinds() -> None:
    old = {"metadata": {"labels": {"a.b/c": "1"}}, "spec": {"ports": [{"port": 1}, {"port": 2}], "gone": 1}}
    new = {"metadata": {"labels": {"a.b/c": "2"}}, "spec": {"ports": [{"port": 1}], "new": [1]}}
    assert {shown(change.path): change.kind for change in changes(old, new)} == {
        'metadata.labels["a.b/c"]': "UPDATE",
        "spec.ports[1]": "DELETE",
        "spec.gone": "DELETE",
        "spec.new": "ADD",
    }


def test_what_is_no_change() -> None:
    assert not changes({"a": None}, {})
    assert not changes({"metadata": {"namespace": "default"}}, {"metadata": {}})
    assert changes({"metadata": {"namespace": "other"}}, {"metadata": {}})
    assert changes({"a": True}, {"a": 1})
    assert changes({"a": 1}, {"a": UNKNOWN})


def test_tokens() -> None:
    assert parse_token("kubernetes:apps/v1:Deployment", {}).kind == Kind("apps", "v1", "Deployment")
    assert parse_token("kubernetes:core/v1:Pod", {}).kind == Kind("", "v1", "Pod")
    patch = parse_token("kubernetes:core/v1:ServiceAccountPatch", {"kind": "ServiceAccount"})
    assert (patch.kind.kind, patch.patch) == ("ServiceAccount", True)
    assert parse_token("kubernetes:core/v1:ConfigMapList", {}).listing
    with pytest.raises(Exception, match="not supported"):
        parse_token("kubernetes:helm.sh/v3:Release", {})


def test_custom_kinds_may_end_in_patch_or_list() -> None:
    own = parse_token("kubernetes:example.test/v1:HotPatch", {"kind": "HotPatch"})
    assert (own.kind.kind, own.patch) == ("HotPatch", False)
    assert not parse_token("kubernetes:example.test/v1:AllowList", {}).listing
