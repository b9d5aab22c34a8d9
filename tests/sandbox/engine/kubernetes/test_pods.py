"""Real pods on the sandbox's cluster, reached as its users reach it: kubelogin and a user kubeconfig."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.engine.conftest import Project, made_project
from tests.sandboxed import Sandbox

pytestmark = pytest.mark.live

PROGRAM = """
import pulumi, pulumi_kubernetes as k8s
config = pulumi.Config()
space = {"namespace": "trial-pods"}
def deployment(name, code, **probes):
    return k8s.apps.v1.Deployment(name, metadata={**space, "name": name}, spec={
        "replicas": 1, "progressDeadlineSeconds": 60, "minReadySeconds": 2,
        "selector": {"match_labels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {
            "terminationGracePeriodSeconds": 0, "containers": [{
                "name": "main", "image": config.require("image"), "command": ["python", "-c", code],
                **probes}]}}})
namespace = k8s.core.v1.Namespace("space", metadata={"name": "trial-pods"})
web = deployment("web", "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080)")
front = k8s.core.v1.Service("front", metadata={**space, "name": "front"}, spec={
    "type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 8099, "targetPort": 8080}]})
pulumi.export("address", front.status.load_balancer.ingress[0].ip)
if config.get("crash"):
    # Never ready: to be so for a moment at each restart would count as progress, and put the deadline off.
    deployment("crash", "raise SystemExit('no settings: ' + 'DATABASE')",
        readinessProbe={"exec": {"command": ["false"]}})
"""


@pytest.fixture
def on_sandbox(sandbox: Sandbox, tmp_path: Path) -> Iterator[Project]:
    deployment = ("get", "deployment", "-n", "agents-dev", "notification-agent")
    image = sandbox.kubectl(*deployment, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    kept = {name: value for name, value in sandbox.env.items() if not name.startswith("PULUMI_BACKEND")}
    for project in made_project(tmp_path, sandbox.env["PATH"], kept):
        project.configure("image", image)
        yield project
        project.pulumi("destroy", "--yes", "--skip-preview")


def test_pods_are_ready_when_up_ends_and_crashes_show_their_last_words(
    on_sandbox: Project, sandbox: Sandbox
) -> None:
    on_sandbox.write(PROGRAM)
    on_sandbox.up()
    answer = sandbox.run("curl", "-sf", f"http://{on_sandbox.outputs()['address']}:8099/")
    assert "Directory listing" in answer.out
    on_sandbox.up("--refresh", "--expect-no-changes")
    on_sandbox.configure("crash", "yes")
    shown = on_sandbox.pulumi("up", "--yes", "--skip-preview", fails=True, timeout=300)
    assert "CrashLoopBackOff" in shown
    assert "last log line: no settings: DATABASE" in shown
