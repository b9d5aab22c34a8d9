"""Creating, updating and deleting objects as the official provider does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import managers
from sandbox.engine.kubernetes.client import ApiError, Client, UnknownKindError
from sandbox.engine.kubernetes.objects import Kind, Object, annotation, identity, name, namespace
from sandbox.engine.kubernetes.settings import Settings

PATCH_FORCE: Final = "pulumi.com/patchForce"
PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
_PROPAGATIONS: Final = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
_OWN_ATTEMPTS: Final = 5
#: Pauses before trying again to create what needs a CRD or namespace that may be on its way, in seconds.
_PAUSES: Final = (0.5, 1, 2, 4, 8)


@dataclass(frozen=True)
class Target:
    """One object to be written: its inputs as they go over the wire, and the field manager that writes."""

    client: Client
    settings: Settings
    kind: Kind
    inputs: Object
    manager: str
    #: The object is somebody else's; only the given fields are written.
    patch: bool
    #: Told of what the API server accepts but thinks wrong.
    warn: Callable[[str], None]

    @property
    def name(self) -> str:
        return name(self.inputs)

    @property
    def namespace(self) -> str:
        return namespace(self.inputs)

    @property
    def force(self) -> bool:
        return self.settings.patch_force or annotation(self.inputs, PATCH_FORCE) == "true"

    def body(self) -> Object:
        """The inputs; without the namespace where the kind has none."""
        metadata = dict(self.inputs.get("metadata") or {})
        if self.client.served(self.kind).namespaced:
            metadata["namespace"] = self.namespace
        else:
            metadata.pop("namespace", None)
        return {**self.inputs, "metadata": metadata}

    def live(self) -> Object | None:
        return self.client.find(self.kind, self.namespace, self.name)


def create(target: Target, sleep: Callable[[float], None], log: Callable[[str], None]) -> Object:
    """POST the object, or adopt the one that an interrupted run of the same resource has made.

    Raises PlugError when it exists already, or when the API server refuses it.
    """
    for pause in (*_PAUSES, None):
        try:
            return _create(target)
        except (UnknownKindError, ApiError) as error:
            early = isinstance(error, UnknownKindError) or error.missing_namespace
            if not early or pause is None:
                raise _explained(error, target, "created") from error
            log(f"waiting to create it: {error}")
        sleep(pause)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _create(target: Target) -> Object:
    if target.patch:
        if target.live() is None:
            raise ApiError(404, {"message": f"there is no {target.kind} {identity(target.inputs)} to patch"})
        return _apply(target)
    try:
        return target.client.create(
            target.kind, target.namespace, target.body(), manager=target.manager, warn=target.warn
        )
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        live = target.live()
        if live is None or not (target.settings.upsert or managers.manages(live, target.manager)):
            raise
        return update(target)


def update(target: Target) -> Object:
    """Server-side apply, which leaves fields of other managers alone."""
    try:
        if not target.patch:
            _own(target)
        return _apply(target)
    except (UnknownKindError, ApiError) as error:
        raise _explained(error, target, "updated") from error


def _own(target: Target) -> None:
    """Make what we wrote at creation ours to apply. Tried again when the object changes meanwhile."""
    for _ in range(_OWN_ATTEMPTS):
        live = target.live()
        operations = managers.ownership(live, target.manager) if live else None
        if operations is None:
            return
        try:
            target.client.patch(target.kind, target.namespace, target.name, operations)
        except ApiError as error:
            if error.status not in (404, 409, 422):  # gone, or its resourceVersion is another by now
                raise


def _apply(target: Target) -> Object:
    return target.client.apply(
        target.kind, target.namespace, target.body(), manager=target.manager, force=target.force
    )


def preview(target: Target, *, exists: bool) -> Object | None:
    """What the API server would make of it (a dry run); None when it cannot say beforehand.

    Raises PlugError when the object would be refused.
    """
    try:
        if exists or target.patch:
            return target.client.apply(
                target.kind, target.namespace, target.body(), manager=target.manager, force=True, dry=True
            )
        return target.client.create(
            target.kind, target.namespace, target.body(), manager=target.manager, dry=True
        )
    except UnknownKindError:
        return None
    except ApiError as error:
        # A namespace that the same run will make first, no rights to try, or a webhook without dry run.
        if error.status in (403, 404) or error.reason == "AlreadyExists" or "dry run" in str(error):
            return None
        raise _explained(error, target, "updated" if exists else "created") from error


def delete(target: Target) -> None:
    """Ask for the deletion (a no-op when it is gone); what a patch wrote is given up instead."""
    if target.patch:
        if target.live() is not None:
            _relinquish(target)
        return
    wanted = annotation(target.inputs, PROPAGATION) or "foreground"
    if wanted.lower() not in _PROPAGATIONS:
        raise PlugError(f"{PROPAGATION} is {wanted!r}; it must be one of {', '.join(_PROPAGATIONS)}")
    propagation = _PROPAGATIONS[wanted.lower()]
    try:
        target.client.delete(target.kind, target.namespace, target.name, propagation=propagation)
    except UnknownKindError:
        return
    except ApiError as error:
        if error.status != 404:
            raise _explained(error, target, "deleted") from error


def _relinquish(target: Target) -> None:
    bare = {key: target.inputs[key] for key in ("apiVersion", "kind")}
    bare["metadata"] = {"name": target.name, "namespace": target.namespace}
    try:
        _apply(replace(target, inputs=bare))
    except ApiError as error:
        raise PlugError(
            f"the patch of {identity(target.inputs)} owns a field the object cannot be without, so it cannot "
            f"be given up: {error}. Set retain_on_delete, or let somebody else own the field first"
        ) from error


def _explained(error: PlugError, target: Target, done: str) -> PlugError:
    what = f"resource {identity(target.inputs)}"
    if isinstance(error, UnknownKindError):
        return UnknownKindError(
            f"{what} was not {done}: the Kubernetes API server reported that its apiVersion does not exist "
            f"({error}). Verify that any required CRDs have been created"
        )
    if isinstance(error, ApiError) and error.status == 409 and error.reason == "Conflict":
        conflicts = "".join(
            f"\n  {cause.get('field', '').removeprefix('.')}: {cause.get('message')}"
            for cause in error.details.get("causes") or ()
        )
        return PlugError(
            f"{what} was not {done}: other field managers own fields that it sets:{conflicts}\nSet the "
            f'annotation {PATCH_FORCE}: "true" to take them over, or leave these fields out '
            "(ignore_changes) to leave them alone"
        )
    if isinstance(error, ApiError):
        return PlugError(f"{what} was not {done} by the Kubernetes API server: {error}")
    return error
