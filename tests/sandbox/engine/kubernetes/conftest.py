"""Projects whose default kubernetes provider points at a real control plane."""

from collections.abc import Iterator

import pytest

from sandbox.engine.kubernetes.client import Client
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
def cluster(project: Project, control_plane: ControlPlane) -> Iterator[Project]:
    """Everything the program makes is gone again afterwards."""
    project.attach(KubernetesPlug())
    kubeconfig = project.directory.parent / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig())
    project.environment["KUBECONFIG"] = str(kubeconfig)
    yield project
    project.pulumi("destroy", "--yes", "--skip-preview", "--continue-on-error")
