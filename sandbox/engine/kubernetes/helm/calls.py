"""What each call of the engine means for a Release."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pulumi.runtime.proto import provider_pb2

from sandbox.engine.failures import InitFailedError, PlugError
from sandbox.engine.kubernetes import diff, readiness, rules
from sandbox.engine.kubernetes.client import Client, UnreachableError
from sandbox.engine.kubernetes.helm import inputs, install, storage
from sandbox.engine.kubernetes.objects import DEFAULT_NAMESPACE, Kind, Object, kind_of, parse_identity
from sandbox.engine.kubernetes.verdict import READY, Verdict
from sandbox.engine.values import Properties, Secret, conceal, decode, reveal
from sandbox.helm.releases import Release

#: A change of these makes a new release.
_REPLACES: tuple[rules.Rule, ...] = (("name",), ("namespace",))
_PAUSE = 0.3
_ANY = Kind("", "v1", "ConfigMap")

#: Wait a number of seconds; raises CancelledError when the user interrupts.
Pause = Callable[[float], None]


def check(request: provider_pb2.CheckRequest, namespace: str) -> tuple[Properties, dict[str, str]]:
    """(inputs, property -> what is wrong); `namespace` is the provider's default."""
    return inputs.completed(
        request.name,
        decode(request.news),
        decode(request.olds),
        seed=request.randomSeed,
        namespace=namespace,
    )


def changes(request: provider_pb2.DiffRequest) -> tuple[list[diff.Change], tuple[rules.Rule, ...]]:
    """What changed, and which changes replace the release."""
    before, after = reveal(decode(request.old_inputs)), reveal(decode(request.news))
    if "checksum" in request.ignoreChanges:
        after = {**after, "checksum": before.get("checksum")}
    return diff.changes(before, after), _REPLACES


def create(client: Client, given: Properties, pause: Pause) -> tuple[str, Properties]:
    """(id, outputs). Raises InitFailedError for a release that exists but is not healthy."""
    asked = install.wanted(reveal(given))
    return _done(asked.found, given, lambda: install.install(client, asked, _waiter(client, asked, pause)))


def update(client: Client, given: Properties, pause: Pause) -> tuple[str, Properties]:
    """As `create`, for a release that is there."""
    asked = install.wanted(reveal(given))
    return _done(asked.found, given, lambda: install.upgrade(client, asked, _waiter(client, asked, pause)))


def delete(client: Client, text: str) -> str | None:
    """Uninstall the release of an id; what to tell the user of objects that are kept."""
    namespace, name = parse_identity(text)
    kept = install.uninstall(client, namespace or DEFAULT_NAMESPACE, name)
    listed = "".join(f"[{one['kind']}] {one['metadata']['name']}\n" for one in kept)
    if not kept:
        return None
    return f"Helm uninstall: these resources were kept due to the resource policy:\n{listed}".rstrip()


def read(client: Client, given: Properties, text: str) -> tuple[Properties, Properties] | None:
    """(outputs, inputs) of what there is; None when it is gone. Without inputs it is an import."""
    namespace, name = parse_identity(text)
    release = storage.latest(client, namespace or DEFAULT_NAMESPACE, name)
    if release is None:
        return None
    known = given or {
        "chart": release.chart.name,
        "name": release.name,
        "namespace": release.namespace,
        "timeout": inputs.TIMEOUT,
    }
    live = {key: value for key, value in _live(release).items() if given == {} or key != "version"}
    known = conceal({**reveal(known), **live}, known)
    return outputs(release, known), known


def outputs(release: Release, given: Properties) -> Properties:
    """Inputs, what became of them, and the inputs once more as the official provider keeps them."""
    status = {
        "appVersion": release.chart.app_version,
        "chart": release.chart.name,
        "name": release.name,
        "namespace": release.namespace,
        "revision": release.revision,
        "status": release.status,
        "version": release.chart.version,
    }
    found = {**reveal(given), **_live(release), "status": status}
    return {**conceal(found, given), "__inputs": Secret(reveal(given))}


def _live(release: Release) -> Properties:
    objects = install.objects_of(release)
    return {
        "resourceNames": inputs.resource_names(objects),
        "version": release.chart.version,
        "values": dict(release.values),
    }


def _done(found: Properties, given: Properties, work: Callable[[], Release]) -> tuple[str, Properties]:
    name = f"{found['namespace']}/{found['name']}"
    try:
        return name, outputs(work(), given)
    except install.FailedReleaseError as error:
        reason = (
            f'Helm release "{name}" was created, but failed to initialize completely. Use Helm CLI to '
            f"investigate: failed to become available within allocated timeout. Error: Helm Release {name}: "
            f"{error}"
        )
        raise InitFailedError(name, outputs(error.release, given), given, (reason,)) from error


def _waiter(client: Client, asked: install.Wanted, pause: Pause) -> Callable[[Sequence[Object]], None]:
    """Waits until everything is ready, as `helm --wait` does."""

    def wait(objects: Sequence[Object]) -> None:
        deadline = time.monotonic() + (asked.found.get("timeout") or inputs.TIMEOUT)
        waiting = list(objects)
        verdict = READY
        while waiting:
            if time.monotonic() > deadline:
                raise PlugError(f"timed out waiting for the condition: {verdict.message}")
            looked = [(one, _look(client, one, asked.namespace)) for one in waiting]
            waiting = [one for one, found in looked if not found.ready]
            verdict = next((found for _, found in looked if not found.ready), READY)
            if waiting:
                pause(_PAUSE)

    return wait


def _look(client: Client, value: Object, namespace: str) -> Verdict:
    kind = kind_of(value, _ANY)
    look = readiness.look_for(kind, value, patch=False)
    if look is None:
        return READY
    try:
        live = client.find(kind, namespace, value["metadata"]["name"])
        return Verdict(False, "it is gone") if live is None else look(client, live)
    except UnreachableError as error:
        return Verdict(False, str(error))
