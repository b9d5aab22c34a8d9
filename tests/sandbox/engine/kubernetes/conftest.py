"""Projects whose default kubernetes provider points at a real control plane."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import parse_identity, parse_token
from sandbox.engine.kubernetes.provider import KubernetesPlug
from tests.sandbox.engine.conftest import Project, tool
from tests.sandbox.engine.kubernetes.control_plane import ControlPlane, Kubelet


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    tools = {name: tool(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
    made = ControlPlane(tmp_path_factory.mktemp("cluster"), tools)
    try:
        made.start()
        kubelet = Kubelet(made.client())
        kubelet.start()
        yield made
        kubelet.stop()
    finally:
        made.stop()


@pytest.fixture
def client(control_plane: ControlPlane) -> Client:
    return control_plane.client()


@pytest.fixture
def cluster(project: Project, control_plane: ControlPlane, client: Client) -> Iterator[Project]:
    """Everything the program makes is gone again afterwards."""
    project.attach(KubernetesPlug())
    kubeconfig = project.directory.parent / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig())
    project.environment["KUBECONFIG"] = str(kubeconfig)
    yield project
    for resource in project.stored():
        if resource["type"].startswith("kubernetes:") and resource["custom"] and not resource.get("external"):
            space, name = parse_identity(resource["id"])
            with suppress(PlugError):  # it is gone, or no object of its own, as a Helm release
                kind = parse_token(resource["type"], {}).kind
                client.delete(kind, space or "default", name, propagation="Background")
