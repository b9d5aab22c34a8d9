"""What the provider waits for, on a real API server with a real controller manager."""

import subprocess
import time

import pytest

from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Kind
from tests.sandbox.engine.conftest import Project

IMPORTS = """
import pulumi
import pulumi_kubernetes as k8s
config = pulumi.Config()
def deployment(name, image="ok", annotations=None, replicas=2, deadline=600):
    return k8s.apps.v1.Deployment(name, metadata={"name": name, "annotations": annotations or {}}, spec={
        "replicas": replicas, "progressDeadlineSeconds": deadline,
        "selector": {"match_labels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
            {"name": "main", "image": image, "resources": {"requests": {"cpu": "1000m"}}}]}}})
"""
DEPLOYMENT, SERVICE = Kind("apps", "v1", "Deployment"), Kind("", "v1", "Service")
JOB = Kind("batch", "v1", "Job")


def test_a_deployment_and_its_service_are_ready_when_up_ends(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
web = deployment("web", image=config.get("image") or "ok")
service = k8s.core.v1.Service("web", metadata={"name": "web"}, spec={
    "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]})
pulumi.export("available", web.status.available_replicas)
pulumi.export("ip", service.spec.cluster_ip)
"""
    )
    cluster.up()
    assert cluster.outputs()["available"] == 2
    assert cluster.outputs()["ip"].startswith("10.96.")
    cluster.up("--refresh", "--expect-no-changes")

    cluster.configure("image", "newer")
    assert "1 updated" in cluster.up()
    live = client.get(DEPLOYMENT, "default", "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "newer"
    assert live["status"]["updatedReplicas"] == live["status"]["replicas"] == 2


def test_a_deployment_that_fails_names_its_pods_trouble_and_heals(cluster: Project) -> None:
    cluster.write(IMPORTS + 'deployment("web", image=config.get("image") or "missing", deadline=2)\n')
    shown = cluster.up(fails=True)
    assert "ProgressDeadlineExceeded" in shown
    assert '[ImagePullBackOff] Back-off pulling image "missing"' in shown
    assert cluster.resource("web")["id"] == "default/web"
    cluster.configure("image", "ok")
    cluster.up()
    cluster.pulumi("preview", "--expect-no-changes")


def test_waiting_can_be_left_out_and_bounded(cluster: Project) -> None:
    cluster.write(
        IMPORTS
        + """
deployment("skipped", image="missing", annotations={"pulumi.com/skipAwait": "true"})
"""
    )
    cluster.up()
    cluster.write(
        IMPORTS
        + """
deployment("bounded", image="missing", annotations={"pulumi.com/timeoutSeconds": "2"})
"""
    )
    assert "Deployment default/bounded was not ready within 2 s" in cluster.up(fails=True)


def test_an_interrupt_keeps_what_was_made(cluster: Project, client: Client) -> None:
    cluster.write(IMPORTS + 'deployment("slow", image=config.get("image") or "missing")\n')
    run = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=cluster.directory,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while client.find(DEPLOYMENT, "default", "slow") is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.send_signal(2)
    shown, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "interrupted while waiting" in shown
    assert cluster.resource("slow")["id"] == "default/slow"
    cluster.configure("image", "ok")
    cluster.up()


@pytest.mark.parametrize(("image", "fails"), [("ok", False), ("failing", True)])
def test_jobs_complete_or_fail(cluster: Project, image: str, fails: bool) -> None:
    cluster.write(
        IMPORTS
        + f"""
k8s.batch.v1.Job("job", spec={{"backoffLimit": 0, "template": {{"spec": {{"restartPolicy": "Never",
    "containers": [{{"name": "main", "image": "{image}"}}]}}}}}})
"""
    )
    shown = cluster.up(fails=fails)
    assert ("BackoffLimitExceeded" in shown) == fails
    if not fails:
        cluster.pulumi("preview", "--expect-no-changes")


@pytest.mark.parametrize("annotated", ["true", "false"])
def test_a_job_that_failed_is_made_again_if_it_is_asked_for(
    cluster: Project, client: Client, annotated: str
) -> None:
    cluster.write(
        IMPORTS
        + f"""
notes = {{"pulumi.com/replaceUnready": "{annotated}"}}
k8s.batch.v1.Job("job", metadata={{"name": "job", "annotations": notes}},
    spec={{"backoffLimit": 0, "template": {{"spec": {{"restartPolicy": "Never",
        "containers": [{{"name": "main", "image": "failing"}}]}}}}}})
"""
    )
    cluster.up(fails=True)
    before = client.find(JOB, "default", "job")
    assert ("replace" in cluster.pulumi("preview")) == (annotated == "true")
    cluster.up(fails=True)
    after = client.find(JOB, "default", "job")
    assert before is not None
    assert after is not None
    assert (before["metadata"]["uid"] != after["metadata"]["uid"]) == (annotated == "true")


def test_stateful_sets_daemon_sets_and_claims(cluster: Project) -> None:
    cluster.write(
        IMPORTS
        + """
template = {"metadata": {"labels": {"app": "set"}}, "spec": {"containers": [{"name": "main", "image": "ok"}]}}
selector = {"match_labels": {"app": "set"}}
k8s.apps.v1.StatefulSet("set", spec={
    "serviceName": "set", "replicas": 2, "selector": selector, "template": template})
k8s.storage.v1.StorageClass("late", metadata={"name": "late"}, provisioner="example.test/none",
    volume_binding_mode="WaitForFirstConsumer")
k8s.core.v1.PersistentVolumeClaim("claim", spec={"storageClassName": "late", "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1024Mi"}}})
"""
    )
    cluster.up()
    cluster.up("--refresh", "--expect-no-changes")


def test_a_load_balancer_needs_an_address(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
service = k8s.core.v1.Service("front", spec={"type": "LoadBalancer", "ports": [{"port": 80}]},
    metadata={"name": "front", "annotations": {"pulumi.com/timeoutSeconds": config.require("seconds")}})
pulumi.export("address", service.status.load_balancer.ingress[0].ip)
"""
    )
    cluster.configure("seconds", "1")
    assert "was not allocated an IP address" in cluster.up(fails=True)
    path = f"{client.path(SERVICE, 'default', 'front')}/status"
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    client._json("PATCH", path, body=status, content_type="application/merge-patch+json")
    cluster.up()
    assert cluster.outputs() == {"address": "192.0.2.1"}


def test_an_ingress_needs_its_backends_and_an_address(cluster: Project) -> None:
    cluster.write(
        IMPORTS
        + """
soon = {"annotations": {"pulumi.com/timeoutSeconds": "1"}}
k8s.networking.v1.Ingress("front", metadata=soon, spec={"rules": [
    {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
        "service": {"name": "nowhere", "port": {"number": 80}}}}]}}]})
"""
    )
    assert "names the Service 'nowhere', which does not exist" in cluster.up(fails=True)


def test_wait_for_what_an_annotation_says(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
data = {"state": config.require("state")}
k8s.core.v1.ConfigMap("told", data=data, metadata={"name": "told", "annotations": {
    "pulumi.com/waitFor": "jsonpath={.data.state}=done", "pulumi.com/timeoutSeconds": "1"}})
"""
    )
    cluster.configure("kubernetes:enableConfigMapMutable", "true")
    cluster.configure("state", "busy")
    assert "waiting for jsonpath={.data.state}=done; it is busy" in cluster.up(fails=True)
    cluster.configure("state", "done")
    cluster.up()


def test_deletion_waits_and_names_what_holds_it(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
k8s.core.v1.ConfigMap("held", metadata={"name": "held", "finalizers": ["example.test/hold"]},
    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="1s")))
"""
    )
    cluster.up()
    shown = cluster.pulumi("destroy", "--yes", "--skip-preview", fails=True)
    assert "held by finalizers: example.test/hold" in shown
    operations = [{"op": "remove", "path": "/metadata/finalizers"}]
    client.patch(Kind("", "v1", "ConfigMap"), "default", "held", operations)
    cluster.pulumi("destroy", "--yes", "--skip-preview")


def test_ignored_changes_are_left_to_their_owner(cluster: Project, client: Client) -> None:
    cluster.write(
        IMPORTS
        + """
web = deployment("web", image=config.get("image") or "ok")
"""
    )
    program = (cluster.directory / "__main__.py").read_text()
    ignoring = ', opts=pulumi.ResourceOptions(ignore_changes=["spec.replicas"]))\n'
    cluster.write(program.replace('"cpu": "1000m"}}}]}}})\n', '"cpu": "1000m"}}}]}}}' + ignoring))
    cluster.up()
    scaled = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 3},
    }
    client.apply(DEPLOYMENT, "default", scaled, manager="scaler", force=True)
    cluster.configure("image", "newer")
    cluster.up()
    live = client.get(DEPLOYMENT, "default", "web")
    assert live["spec"]["replicas"] == 3
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "newer"
