"""Helm releases through the real engine on a real API server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import ApiError, Client
from sandbox.engine.kubernetes.helm import charts, inputs, storage
from sandbox.engine.kubernetes.objects import Kind
from sandbox.helm import releases
from tests.sandbox.engine.conftest import Project
from tests.waiting import until

CRD, SECRET = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), Kind("", "v1", "Secret")
CERTIFICATE = Kind("cert-manager.io", "v1", "Certificate")
NAME = "certificates.cert-manager.io"
CHART = charts.CHARTS[0]
PROGRAM = f"""
import pulumi
import pulumi_kubernetes as k8s
config = pulumi.Config()
release = k8s.helm.v3.Release("cert-manager",
    chart="cert-manager", version="{CHART.version}", name=config.get("name") or "cert-manager",
    namespace="cert-manager", create_namespace=True,
    repository_opts={{"repo": "https://charts.jetstack.io"}},
    values={{"crds": {{"enabled": True, "keep": config.get_bool("keep") is not False}},
            **({{"replicaCount": 2}} if config.get_bool("more") else {{}})}})
pulumi.export("status", release.status)
"""


@pytest.fixture
def helm(cluster: Project, client: Client) -> Iterator[Project]:
    """Definitions outlive a release: the next test starts without them."""
    try:
        CHART.folder()
    except PlugError as error:
        pytest.skip(str(error))
    yield cluster
    for one in client.all(SECRET, "cert-manager", labels=releases.OWNER):
        client.delete(SECRET, "cert-manager", one["metadata"]["name"], propagation="Background")
    for one in client.all(CRD, ""):
        with suppress(PlugError):  # on its way already
            client.delete(CRD, "", one["metadata"]["name"], propagation="Background")
    _await_removal(client)


def _await_removal(client: Client) -> None:
    until(lambda: _hurried(client), lambda left: not left, seconds=120, what="the definitions to be gone")


def _hurried(client: Client) -> list[str]:
    """The definitions that are left, each changed so that its finalizer looks again.

    It fails while the API server prepares the definition's storage, and then waits up to minutes.
    """
    left = [one["metadata"]["name"] for one in client.all(CRD, "")]
    for name in left:
        with suppress(ApiError):  # just gone
            mark = {"op": "add", "path": "/metadata/labels/looked", "value": secrets.token_hex(4)}
            client.patch(CRD, "", name, [mark])
    return left


def test_a_release_is_installed_kept_and_removed(helm: Project, client: Client) -> None:
    helm.write(PROGRAM)
    helm.up()
    status = helm.outputs()["status"]
    assert (status["status"], status["revision"], status["version"]) == ("deployed", 1, CHART.version)
    assert helm.resource("cert-manager")["id"] == "cert-manager/cert-manager"
    outputs = helm.resource("cert-manager")["outputs"]
    assert NAME in outputs["resourceNames"]["CustomResourceDefinition/apiextensions.k8s.io/v1"]
    assert outputs["atomic"] is False
    live = client.get(CRD, "", NAME)
    assert live["metadata"]["annotations"]["meta.helm.sh/release-name"] == "cert-manager"
    stored = client.get(SECRET, "cert-manager", "sh.helm.release.v1.cert-manager.v1")
    assert stored["type"] == releases.SECRET_TYPE
    helm.up("--refresh", "--expect-no-changes")

    helm.configure("more", "true")
    assert "1 updated" in helm.up()
    assert helm.outputs()["status"]["revision"] == 2
    past = storage.history(client, "cert-manager", "cert-manager")
    assert [one.status for one in past] == ["superseded", "deployed"]
    assert past[1].values["replicaCount"] == 2

    shown = helm.pulumi("destroy", "--yes", "--skip-preview")
    assert "kept due to the resource policy" in shown
    assert storage.history(client, "cert-manager", "cert-manager") == []
    assert client.find(CRD, "", NAME) is not None
    helm.up()  # what was kept is its own
    helm.configure("keep", "false")
    helm.up()
    helm.pulumi("destroy", "--yes", "--skip-preview")
    _await_removal(client)


def test_the_definitions_refuse_what_they_do_not_know(helm: Project, client: Client) -> None:
    body = """
k8s.apiextensions.CustomResource("one", api_version="cert-manager.io/v1", kind="Certificate",
    metadata={"name": "one"}, spec={"secretName": "one", "dnsNames": ["a.test"], SPEC},
    opts=pulumi.ResourceOptions(depends_on=[release]))
"""
    issuer = '"issuerRef": {"name": "ca", "kind": "ClusterIssuer"}'
    helm.write(PROGRAM + body.replace("SPEC", '"issuerRef": "ca"'))
    assert "spec.issuerRef" in helm.up(fails=True)
    helm.write(PROGRAM + body.replace("SPEC", issuer))
    helm.up()
    assert client.get(CERTIFICATE, "default", "one")["spec"]["secretName"] == "one"
    # The policy takes effect a moment after it was made: here it has long.
    for spec, said in (
        ({"duration": "30m"}, "certificate duration must be greater than 1h0m0s"),
        ({"renewBefore": "2160h"}, "certificate duration must be greater than renewBefore"),
        ({"dnsNames": []}, "at least one of commonName"),
        ({"privateKey": {"algorithm": "ECDSA", "size": 300}}, "supported values: 256, 384, 521"),
        ({"privateKey": {"size": 1024}}, "must be between 2048 and 8192"),
        ({"issuerRef": {"name": "ca", "kind": "Issuers"}}, "must be one of Issuer or ClusterIssuer"),
        ({"renewBefore": "1h", "renewBeforePercentage": 50}, "mutually exclusive"),
    ):
        body = {"spec": {"secretName": "two", "dnsNames": ["a.test"], "issuerRef": {"name": "ca"}, **spec}}
        body |= {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "two"}}
        with pytest.raises(ApiError, match=said):
            client.create(CERTIFICATE, "default", body, manager="test", dry=True)


def test_a_name_in_use_and_foreign_objects_are_refused(helm: Project, client: Client) -> None:
    helm.write(PROGRAM)
    helm.up()
    other = PROGRAM.replace('Release("cert-manager"', 'Release("again"').replace(
        'namespace="cert-manager"', 'namespace="default"'
    )
    helm.write(PROGRAM + other.partition("config = pulumi.Config()")[2].partition("pulumi.export")[0])
    assert "exists and cannot be imported into the current release" in helm.up(fails=True)
    helm.write(
        PROGRAM + PROGRAM.replace('Release("cert-manager"', 'Release("again"').replace("status", "two")
    )
    assert "cannot re-use a name that is still in use" in helm.up(fails=True)


def test_a_release_that_was_uninstalled_outside_is_installed_again(helm: Project, client: Client) -> None:
    helm.write(PROGRAM)
    helm.up()
    client.delete(SECRET, "cert-manager", "sh.helm.release.v1.cert-manager.v1", propagation="Background")
    assert "1 to create" in helm.pulumi("preview", "--refresh")
    helm.up("--refresh")
    assert helm.outputs()["status"]["revision"] == 1


def _checked(**given: object) -> tuple[dict[str, object], dict[str, str]]:
    base = {"chart": "cert-manager", "repositoryOpts": {"repo": "https://charts.jetstack.io"}}
    return inputs.completed("cm", {**base, **given}, {}, seed=b"1", namespace="default")


@pytest.fixture
def known() -> None:
    try:
        CHART.folder()
    except PlugError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"chart": "redis"}, "it knows cert-manager"),
        (
            {"repositoryOpts": {"repo": "https://charts.bitnami.com"}},
            "https://charts.bitnami.com is not known",
        ),
        ({"version": "v0.1.0"}, f"which has {CHART.version}"),
        (
            {"values": {"crd": {"enabled": True}}},
            "Additional properties are not allowed ('crd' was unexpected)",
        ),
        ({"values": {"replicaCount": "two"}}, "- replicaCount: 'two' is not of type 'number'"),
    ],
)
def test_what_cannot_be_installed_is_refused_before_anything_is_done(
    known: None, given: dict[str, object], said: str
) -> None:
    _, problems = _checked(**given)
    assert said in problems["chart"]


def test_inputs_are_completed(known: None) -> None:
    found, problems = _checked(version=CHART.version.removeprefix("v"))
    assert problems == {}
    assert str(found["name"]).startswith("cm-")
    assert (found["namespace"], found["timeout"], found["atomic"]) == ("default", 300, False)
    assert found["resourceNames"]["ServiceAccount/v1"] == [f"{found['name']}-cert-manager"]
    with_definitions, _ = _checked(values={"crds": {"enabled": True}})
    assert with_definitions["checksum"] != found["checksum"]


def test_a_release_survives_its_secret() -> None:
    chart = releases.Chart("one", "v1.0.0", "v1.0.0")
    now = releases.moment()
    made = releases.Release("r", "ns", chart, {"a": 1}, "---\n", 3, "deployed", "done", now, now)
    assert releases.read(made.secret()) == made
    assert releases.read({"data": {"release": "AAAA"}}) is None
