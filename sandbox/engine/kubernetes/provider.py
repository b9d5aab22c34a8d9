"""The provider itself: what each call of the engine means for an object in a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.engine import caller
from sandbox.engine.failures import InitFailedError, PlugError
from sandbox.engine.kubernetes import (
    answers,
    check,
    cluster,
    config,
    diff,
    ignored,
    invokes,
    live,
    managers,
    operations,
    readiness,
    rules,
    waiting,
)
from sandbox.engine.kubernetes.helm import RELEASE
from sandbox.engine.kubernetes.helm import calls as helm
from sandbox.engine.kubernetes.objects import (
    Kind,
    Object,
    annotation,
    identity,
    kind_of,
    name,
    namespace,
    parse_identity,
    parse_token,
)
from sandbox.engine.kubernetes.operations import Target
from sandbox.engine.plug import Plug, Session
from sandbox.engine.values import Properties, decode, encode, has_unknown, reveal


class KubernetesPlug(Plug):
    package = "kubernetes"
    version = "4.34.2"

    def configure(self, session: Session, given: Properties) -> cluster.Cluster:
        return cluster.connect(given, caller.find(session.peer, self.port))

    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        return answers.checked(request, config.problems(reveal(decode(request.news))))

    def DiffConfig(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        old, new = reveal(decode(request.old_inputs)), reveal(decode(request.news))
        found = config.changed(old, new)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=found,
            replaces=found if config.moved(old, new) else [],
        )

    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        if request.type == RELEASE:
            inputs, problems = helm.check(request, self._cluster(context).settings.namespace)
            return answers.checked(request, problems, inputs)
        news = decode(request.news)
        token = parse_token(request.type, reveal(news))
        inputs = check.completed(
            token,
            request.name,
            news,
            decode(request.olds),
            seed=request.randomSeed,
            namespace=self._cluster(context).namespace_for(token.kind),
        )
        return answers.checked(request, check.problems(token, inputs), inputs)

    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        if request.type == RELEASE:
            changed, replacing = helm.changes(request)
            return answers.difference(changed, replacing)
        old, new = check.wire(decode(request.old_inputs)), check.wire(decode(request.news))
        token = parse_token(request.type, new)
        found, kind = rules.IDENTITY, kind_of(new, token.kind)
        if not token.patch:
            found = rules.replacing(kind, new, self._cluster(context).settings)
        changes = diff.changes(live.clean(old), live.clean(new))
        answer = answers.difference(changes, found)
        if self._is_unready(context, kind, new):
            answer.changes = provider_pb2.DiffResponse.DIFF_SOME
            answer.replaces.append(f'.metadata.annotations["{readiness.REPLACE_UNREADY}"]')
        answer.deleteBeforeReplace = (
            bool(answer.replaces and name(new))
            and annotation(new, check.AUTONAMED) != "true"
            and (name(new), namespace(new)) == (name(old), namespace(old))
        )
        return answer

    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        inputs = decode(request.properties)
        if request.preview and request.type == RELEASE:
            return provider_pb2.CreateResponse(properties=request.properties)
        if request.preview:
            plan = self._plan(context, request.type, request.urn, inputs, {})
            return provider_pb2.CreateResponse(properties=encode(answers.preview(plan, inputs, None)))
        session = self.session(context)
        if request.type == RELEASE:
            made_id, outputs = helm.create(
                self._cluster(context).require(), inputs, lambda seconds: session.pause(context, seconds)
            )
            return provider_pb2.CreateResponse(id=made_id, properties=encode(outputs))
        target = self._target(context, request.type, request.urn, inputs, {})
        made = operations.create(
            target,
            lambda seconds: session.pause(context, seconds),
            lambda text: _tell(session, request.urn, text),
        )
        made = self._ready(context, request, target, made, inputs)
        return provider_pb2.CreateResponse(
            id=identity(made), properties=encode(answers.outputs(target, made, inputs))
        )

    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        inputs, olds = decode(request.news), decode(request.olds)
        if request.type == RELEASE:
            return self._upgrade(context, request, inputs)
        placed = _identified(inputs, request.id)
        if request.preview:
            plan = self._plan(context, request.type, request.urn, placed, olds)
            plan = _without_ignored(plan, request.ignoreChanges) if plan else None
            return provider_pb2.UpdateResponse(properties=encode(answers.preview(plan, inputs, olds)))
        target = self._target(context, request.type, request.urn, placed, olds)
        target = _without_ignored(target, request.ignoreChanges)
        made = operations.update(target)
        made = self._ready(context, request, target, made, inputs)
        return provider_pb2.UpdateResponse(properties=encode(answers.outputs(target, made, inputs)))

    def _upgrade(
        self, context: grpc.ServicerContext, request: provider_pb2.UpdateRequest, inputs: Properties
    ) -> provider_pb2.UpdateResponse:
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        session = self.session(context)
        _, outputs = helm.update(
            self._cluster(context).require(), inputs, lambda seconds: session.pause(context, seconds)
        )
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(  # noqa: N802
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        session, found = self.session(context), self._cluster(context)
        if problem := found.problem():
            return answers.deleted_unreachable(session, found, request.urn, problem)
        if request.type == RELEASE:
            if notice := helm.delete(found.require(), request.id):
                session.log(request.urn, "WARNING", notice)
            return empty_pb2.Empty()
        olds = decode(request.properties)
        inputs = _identified(decode(request.old_inputs) or olds, request.id)
        target = self._target(context, request.type, request.urn, inputs, olds)
        operations.delete(target)
        if not target.patch and annotation(target.inputs, readiness.SKIP) != "true":
            try:
                waiting.until_gone(target, self._patience(context, request, target))
            except waiting.NotReadyError as error:
                raise PlugError("\n".join(error.reasons)) from error
        return empty_pb2.Empty()

    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        session, found = self.session(context), self._cluster(context)
        if problem := found.problem():
            return answers.read_unreachable(session, found, request, problem)
        inputs, olds = decode(request.inputs), decode(request.properties)
        if request.type == RELEASE:
            release = helm.read(found.require(), inputs, request.id)
            if release is None:
                return provider_pb2.ReadResponse()
            outputs, inputs = release
            return provider_pb2.ReadResponse(id=request.id, properties=encode(outputs), inputs=encode(inputs))
        base = inputs or {"apiVersion": olds.get("apiVersion"), "kind": olds.get("kind")}
        placed = _identified({key: item for key, item in base.items() if item is not None}, request.id)
        target = self._target(context, request.type, request.urn, placed, olds)
        now = target.live()
        if now is None:
            return provider_pb2.ReadResponse()  # an empty id: it is gone
        if not inputs:
            inputs = live.imported(now)
            outputs = answers.outputs(target, now, inputs)
            return provider_pb2.ReadResponse(id=request.id, properties=encode(outputs), inputs=encode(inputs))
        inputs = live.refreshed(inputs, reveal(olds), now)
        outputs = answers.outputs(target, now, inputs)
        look = readiness.look_for(target.kind, target.inputs, patch=target.patch)
        verdict = look(found.require(), now) if look else None
        if verdict and not verdict.ready:
            reasons = (f"[{target.kind.kind}] {verdict.message}", *verdict.findings)
            raise InitFailedError(request.id, outputs, inputs, reasons)
        return provider_pb2.ReadResponse(id=request.id, properties=encode(outputs), inputs=encode(inputs))

    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        response = provider_pb2.InvokeResponse()
        answer = invokes.invoke(request.tok, reveal(decode(request.args)))
        getattr(response, "return").CopyFrom(encode(answer))  # a keyword in Python
        return response

    def _cluster(self, context: grpc.ServicerContext) -> cluster.Cluster:
        found: cluster.Cluster = self.session(context).state
        return found

    def _target(
        self,
        context: grpc.ServicerContext,
        kind: str,
        urn: str,
        inputs: Properties,
        olds: Properties,
    ) -> Target:
        """What to write. Raises PlugError when the cluster cannot be reached."""
        session, found, wire = self.session(context), self._cluster(context), check.wire(inputs)
        token = parse_token(kind, wire)
        return Target(
            client=found.require(),
            settings=found.settings,
            kind=kind_of(wire, token.kind),
            inputs=wire,
            manager=managers.manager_for(urn, wire, olds.get(live.FIELD_MANAGER)),
            patch=token.patch,
            warn=lambda text: session.log(urn, "WARNING", text),
        )

    def _is_unready(self, context: grpc.ServicerContext, kind: Kind, wanted: Object) -> bool:
        """Whether it asks for another in place of what is not ready. What cannot be seen stays."""
        client = self._cluster(context).client
        if client is None or has_unknown(wanted):
            return False
        try:
            return readiness.is_replaced(client, kind, wanted)
        except PlugError:
            return False

    def _plan(
        self, context: grpc.ServicerContext, kind: str, urn: str, inputs: Properties, olds: Properties
    ) -> Target | None:
        """What would be written; None where that is not known yet, or no cluster answers."""
        if has_unknown(inputs) or self._cluster(context).problem():
            return None
        return self._target(context, kind, urn, inputs, olds)

    def _ready(
        self, context: grpc.ServicerContext, request: Any, target: Target, made: Object, inputs: Properties
    ) -> Object:
        """The object once it is ready. Raises InitFailedError with what it is now."""
        look = readiness.look_for(target.kind, target.inputs, patch=target.patch)
        if look is None:
            return made
        named = replace(target, inputs={**target.inputs, "metadata": made["metadata"]})
        try:
            return waiting.until_ready(named, made, look, self._patience(context, request, target))
        except waiting.NotReadyError as error:
            outputs = answers.outputs(target, error.object, inputs)
            raise InitFailedError(identity(error.object), outputs, inputs, error.reasons) from error

    def _patience(self, context: grpc.ServicerContext, request: Any, target: Target) -> waiting.Patience:
        session = self.session(context)
        return waiting.Patience(
            readiness.seconds(target.inputs, request.timeout),
            lambda seconds: session.pause(context, seconds),
            lambda text: _tell(session, request.urn, text),
        )


def _without_ignored(target: Target, paths: Sequence[str]) -> Target:
    now = target.live() if paths else None
    if now is None:
        return target
    return replace(target, inputs=ignored.without_ignored(target.inputs, now, paths, target.manager))


def _identified(inputs: Properties, text: str) -> Properties:
    """Inputs that surely name the object an id stands for."""
    space, last = parse_identity(text)
    metadata = reveal(inputs).get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    placed = {**known, "name": last, **({"namespace": space} if space else {})}
    return {**inputs, "metadata": placed}


def _tell(session: Session, urn: str, text: str) -> None:
    session.log(urn, "INFO", text, ephemeral=True)
