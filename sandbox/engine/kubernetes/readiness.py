"""Which look decides that an object of some kind is ready, and for how long to wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.engine.kubernetes import networking, wait_for, workloads
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Kind, Object, annotation, name, namespace
from sandbox.engine.kubernetes.verdict import READY, Look, Verdict, condition, waiting

SKIP: Final = "pulumi.com/skipAwait"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"
WAIT_FOR: Final = "pulumi.com/waitFor"
REPLACE_UNREADY: Final = "pulumi.com/replaceUnready"
_DEFAULT_SECONDS: Final = 600.0
_STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass")


def _phase(*wanted: str) -> Look:
    def look(_client: Client, value: Object) -> Verdict:
        phase = value.get("status", {}).get("phase", "")
        return READY if phase in wanted else waiting(f"its phase is {phase or 'not set'}")

    return look


def _claim(client: Client, value: Object) -> Verdict:
    """Bound; a claim whose class waits for its first consumer is ready as it is."""
    phase = value.get("status", {}).get("phase", "")
    if phase == "Bound":
        return READY
    if wanted := value["spec"].get("storageClassName"):
        storage = client.find(_STORAGE_CLASS, "", wanted)
        if storage and storage.get("volumeBindingMode") == "WaitForFirstConsumer":
            return READY
    return waiting(f"PersistentVolumeClaim is {phase or 'not seen'}, not Bound")


def _is(kind: str) -> Look:
    def look(_client: Client, value: Object) -> Verdict:
        status, _, message = condition(value, kind)
        return READY if status == "True" else waiting(message or f"its condition {kind} is not True")

    return look


def _quota(_client: Client, value: Object) -> Verdict:
    """Its limits are in force."""
    if value.get("status", {}).get("hard") == value["spec"].get("hard"):
        return READY
    return waiting("the quota's limits are not in force yet")


def _secret(_client: Client, value: Object) -> Verdict:
    if value.get("type") == "kubernetes.io/service-account-token" and not value.get("data"):
        return waiting("its token was not issued")
    return READY


_LOOKS: Final[Mapping[tuple[str, str], Look]] = {
    ("", "Namespace"): _phase("Active"),
    ("", "PersistentVolume"): _phase("Available", "Bound"),
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): workloads.pod,
    ("", "ResourceQuota"): _quota,
    ("", "Secret"): _secret,
    ("", "Service"): networking.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _is("Established"),
    ("apiregistration.k8s.io", "APIService"): _is("Available"),
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
    ("networking.k8s.io", "Ingress"): networking.ingress,
}


def look_for(kind: Kind, inputs: Object, *, patch: bool) -> Look | None:
    """None when there is nothing to wait for. Raises PlugError for a malformed `pulumi.com/waitFor`."""
    if annotation(inputs, SKIP) == "true":
        return None
    if text := annotation(inputs, WAIT_FOR):
        return wait_for.parsed(text)
    return None if patch else _LOOKS.get((kind.group, kind.kind))


def is_replaced(client: Client, kind: Kind, wanted: Object) -> bool:
    """Whether its annotation asks for another in its place, because what is there is not ready now.

    Of Jobs only. Raises ApiError.
    """
    if (kind.group, kind.kind) != ("batch", "Job") or annotation(wanted, REPLACE_UNREADY) != "true":
        return False
    live = client.find(kind, namespace(wanted), name(wanted))
    return live is not None and workloads.job(client, live) != READY


def seconds(inputs: Object, given: float) -> float:
    """How long to wait: the resource's custom timeout, else its annotation, else ten minutes."""
    if given:
        return given
    text = annotation(inputs, TIMEOUT) or ""
    return float(text) if text.isdigit() and int(text) else _DEFAULT_SECONDS
