"""What the engine is told: differences, previews, outputs, and of objects whose cluster is unreachable."""

from __future__ import annotations

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import cluster, diff, live, operations, rules
from sandbox.engine.kubernetes.objects import Object
from sandbox.engine.kubernetes.operations import Target
from sandbox.engine.plug import Session
from sandbox.engine.values import UNKNOWN, Properties, encode

_DELETE_UNREACHABLE = (
    "If the cluster was deleted, the resource can be removed from Pulumi's state by running the operation "
    'again with the environment variable PULUMI_K8S_DELETE_UNREACHABLE set to "true"'
)


def checked(
    request: provider_pb2.CheckRequest, problems: dict[str, str], inputs: Properties | None = None
) -> provider_pb2.CheckResponse:
    return provider_pb2.CheckResponse(
        inputs=request.news if inputs is None else encode(inputs),
        failures=[
            provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in problems.items()
        ],
    )


def difference(changes: list[diff.Change], found: tuple[rules.Rule, ...]) -> provider_pb2.DiffResponse:
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=list(dict.fromkeys(str(change.path[0]) for change in changes)),
        replaces=[diff.shown(change.path) for change in changes if rules.covers(found, change.path)],
        detailedDiff={diff.shown(change.path): _detail(change, found) for change in changes},
        hasDetailedDiff=True,
    )


def _detail(change: diff.Change, found: tuple[rules.Rule, ...]) -> provider_pb2.PropertyDiff:
    kind = f"{change.kind}_REPLACE" if rules.covers(found, change.path) else change.kind
    return provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=True)


def preview(target: Target | None, inputs: Properties, olds: Properties | None) -> Properties:
    """The outputs to expect: a dry run's, or the inputs where there can be none."""
    planned = operations.preview(target, exists=olds is not None) if target else None
    if target is None or planned is None:
        return inputs
    expected = outputs(target, planned, inputs)
    if olds is None:  # a dry run makes these up
        made_up = dict.fromkeys(("uid", "creationTimestamp", "resourceVersion"), UNKNOWN)
        expected["metadata"] = {**expected["metadata"], **made_up}
        expected["status"] = UNKNOWN
    return expected


def outputs(target: Target, made: Object, inputs: Properties) -> Properties:
    return live.outputs(target.kind, made, inputs, target.manager)


def deleted_unreachable(session: Session, found: cluster.Cluster, urn: str, problem: str) -> empty_pb2.Empty:
    """Raises PlugError unless what is unreachable is to be forgotten."""
    if found.settings.delete_unreachable:
        session.log(urn, "WARNING", f"forgotten, as its cluster is unreachable: {problem}")
        return empty_pb2.Empty()
    raise PlugError(f"configured Kubernetes cluster is unreachable: {problem}. {_DELETE_UNREACHABLE}")


def read_unreachable(
    session: Session, found: cluster.Cluster, request: provider_pb2.ReadRequest, problem: str
) -> provider_pb2.ReadResponse:
    if found.settings.delete_unreachable:
        session.log(request.urn, "WARNING", f"forgotten, as its cluster is unreachable: {problem}")
        return provider_pb2.ReadResponse()
    if found.settings.skip_unreachable:
        session.log(request.urn, "WARNING", f"not refreshed, as its cluster is unreachable: {problem}")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
    raise PlugError(
        f"failed to read resource state due to unreachable cluster: {problem}. {_DELETE_UNREACHABLE}"
    )
