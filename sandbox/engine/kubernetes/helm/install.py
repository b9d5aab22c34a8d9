"""Installing, upgrading and removing a release in the order and with the ownership marks of Helm 3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import ApiError, Client
from sandbox.engine.kubernetes.helm import inputs, storage
from sandbox.engine.kubernetes.objects import Kind, Object, kind_of
from sandbox.engine.values import Properties
from sandbox.helm import releases
from sandbox.helm.releases import Release

_NAMESPACE = Kind("", "v1", "Namespace")
_RELEASE, _PLACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_MANAGED = "app.kubernetes.io/managed-by"
_POLICY = "helm.sh/resource-policy"


class FailedReleaseError(Exception):
    """The release exists, but what it installs could not be installed or is not ready."""

    def __init__(self, release: Release, why: Exception) -> None:
        super().__init__(str(why))
        self.release = release


@dataclass(frozen=True)
class Wanted:
    """What a Release resource asks for; `objects` bear Helm's marks of ownership."""

    found: Properties
    objects: tuple[Object, ...]

    @property
    def name(self) -> str:
        return str(self.found["name"])

    @property
    def namespace(self) -> str:
        return str(self.found["namespace"])

    def revision(self, number: int, before: Release | None) -> Release:
        now = releases.moment()
        return Release(
            name=self.name,
            namespace=self.namespace,
            chart=inputs.chart_of(self.found).metadata,
            values=self.found.get("values") or {},
            manifest=inputs.manifest(self.objects),
            revision=number,
            status="pending-upgrade" if before else "pending-install",
            description=self.found.get("description") or "Initial install underway",
            first_deployed=before.first_deployed if before else now,
            last_deployed=now,
        )


def wanted(found: Properties) -> Wanted:
    """Raises PlugError for a chart or values that cannot be installed."""
    name, namespace = found["name"], found["namespace"]
    objects = inputs.chart_of(found).objects(name, found.get("values") or {})
    return Wanted(found, tuple(_owned(one, name, namespace) for one in objects))


def install(client: Client, asked: Wanted, wait: Callable[[Sequence[Object]], None]) -> Release:
    """Raises PlugError, and FailedReleaseError once it has begun."""
    before = storage.latest(client, asked.namespace, asked.name)
    if before is not None and not (asked.found.get("replace") and before.status in ("failed", "superseded")):
        raise PlugError("cannot re-use a name that is still in use")
    _check_ownership(client, asked, "install")
    if asked.found.get("createNamespace"):
        _ensure_namespace(client, asked.namespace)
    release = asked.revision((before.revision if before else 0) + 1, None)
    try:
        storage.save(client, release)
    except ApiError as error:
        raise PlugError(f"create: failed to create: {error}") from error
    return _roll_out(client, asked, release, wait, "Install complete")


def upgrade(client: Client, asked: Wanted, wait: Callable[[Sequence[Object]], None]) -> Release:
    """A new revision; what the new manifest no longer holds is removed. Raises as `install`."""
    past = storage.history(client, asked.namespace, asked.name)
    if not past:
        raise PlugError(f'"{asked.name}" has no deployed releases')
    before = past[-1]
    _check_ownership(client, asked, "upgrade")
    release = asked.revision(before.revision + 1, before)
    storage.save(client, release)
    done = _roll_out(client, asked, release, wait, "Upgrade complete")
    kept = {_identity(one) for one in asked.objects}
    for one in objects_of(before):
        if _identity(one) not in kept:
            _remove(client, one, asked.namespace)
    for old in past:
        if old.status == "deployed":
            storage.save(client, old.now("superseded", old.description))
    most = asked.found.get("maxHistory") or 0
    for old in past[: max(0, len(past) + 1 - most)] if most else ():
        storage.forget(client, old)
    return done


def uninstall(client: Client, namespace: str, name: str) -> list[Object]:
    """Remove what was installed and every revision; the objects that the chart says must be kept."""
    past = storage.history(client, namespace, name)
    if not past:
        raise PlugError(f"uninstall: Release not loaded: {name}: release: not found")
    storage.save(client, past[-1].now("uninstalling", "Deletion in progress (or silently failed)"))
    kept = [one for one in reversed(objects_of(past[-1])) if not _remove(client, one, namespace)]
    for revision in past:
        storage.forget(client, revision)
    return kept


def objects_of(release: Release) -> list[Object]:
    return [one for one in yaml.load_all(release.manifest, Loader=yaml.CSafeLoader) if one]


def _roll_out(
    client: Client,
    asked: Wanted,
    release: Release,
    wait: Callable[[Sequence[Object]], None],
    done: str,
) -> Release:
    try:
        for one in asked.objects:
            client.apply(kind_of(one, _NAMESPACE), asked.namespace, one, manager=storage.MANAGER, force=True)
        if not asked.found.get("skipAwait"):
            wait(asked.objects)
    except PlugError as error:
        failed = release.now("failed", f'Release "{asked.name}" failed: {error}')
        storage.save(client, failed)
        raise FailedReleaseError(failed, error) from error
    deployed = release.now("deployed", asked.found.get("description") or done)
    storage.save(client, deployed)
    return deployed


def _owned(value: Object, name: str, namespace: str) -> Object:
    metadata = value["metadata"]
    annotations = {**(metadata.get("annotations") or {}), _RELEASE: name, _PLACE: namespace}
    labels = {**(metadata.get("labels") or {}), _MANAGED: "Helm"}
    return {**value, "metadata": {**metadata, "annotations": annotations, "labels": labels}}


def _check_ownership(client: Client, asked: Wanted, doing: str) -> None:
    """Objects that are there already must be this release's own, or be given to it."""
    if asked.found.get("takeOwnership"):
        return
    for one in asked.objects:
        live = client.find(kind_of(one, _NAMESPACE), asked.namespace, one["metadata"]["name"])
        notes: dict[str, Any] = (live or {}).get("metadata", {}).get("annotations") or {}
        if live is not None and (notes.get(_RELEASE), notes.get(_PLACE)) != (asked.name, asked.namespace):
            raise PlugError(
                f'Unable to continue with {doing}: {one["kind"]} "{one["metadata"]["name"]}" exists and '
                "cannot be imported into the current release: invalid ownership metadata; annotation "
                f'validation error: key "{_RELEASE}" must equal "{asked.name}": current value is '
                f'"{notes.get(_RELEASE, "")}"'
            )


def _ensure_namespace(client: Client, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}}
    try:
        client.create(_NAMESPACE, "", body, manager=storage.MANAGER)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


def _identity(value: Object) -> tuple[str, str, str]:
    return (value["apiVersion"], value["kind"], value["metadata"]["name"])


def _remove(client: Client, value: Object, namespace: str) -> bool:
    """False when the chart says that it is to be kept."""
    if (value["metadata"].get("annotations") or {}).get(_POLICY) == "keep":
        return False
    try:
        client.delete(
            kind_of(value, _NAMESPACE), namespace, value["metadata"]["name"], propagation="Background"
        )
    except ApiError as error:
        if error.status != 404:
            raise
    return True
