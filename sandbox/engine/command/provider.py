"""The provider itself: what each call of the engine means for a command."""

from __future__ import annotations

import secrets
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.engine import caller
from sandbox.engine.command import inputs, runner
from sandbox.engine.failures import PlugError
from sandbox.engine.plug import Plug, Session
from sandbox.engine.values import UNKNOWN, Properties, Secret, decode, encode, has_secret, reveal

RESOURCE = "command:local:Command"
FUNCTION = "command:local:run"
_OUTPUTS = ("stdout", "stderr", "assets", "archive")


class CommandPlug(Plug):
    package = "command"
    version = "1.2.1"

    def configure(self, session: Session, _config: Properties) -> caller.Caller:
        return caller.find(session.peer, self.port)

    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        if request.type != RESOURCE:
            raise PlugError(f"{request.type} is not supported here; {RESOURCE} is")
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in inputs.problems(decode(request.news), inputs.COMMAND).items()
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Any change runs a command again; changed triggers replace unless there is an update command."""
        old, new = reveal(decode(request.old_inputs)), reveal(decode(request.news))
        changed = [name for name in inputs.COMMAND if old.get(name) != new.get(name)]
        replaces = ["triggers"] if "triggers" in changed and new.get("update") is None else []
        kind = provider_pb2.PropertyDiff.UPDATE_REPLACE if replaces else provider_pb2.PropertyDiff.UPDATE
        detail = {
            name: provider_pb2.PropertyDiff(
                kind=kind if name in replaces else provider_pb2.PropertyDiff.UPDATE, inputDiff=True
            )
            for name in changed
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        given = decode(request.properties)
        outputs = self._run(context, request.urn, "create", given, {}, preview=request.preview)
        made = "" if request.preview else f"{request.name}{secrets.token_hex(4)}"
        return provider_pb2.CreateResponse(id=made, properties=encode(outputs))

    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        given = decode(request.news)
        command = "create" if given.get("update") is None else "update"
        outputs = self._run(
            context, request.urn, command, given, decode(request.olds), preview=request.preview
        )
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(  # noqa: N802
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        given, outputs = decode(request.old_inputs), decode(request.properties)
        self._run(context, request.urn, "delete", given, outputs, preview=False)
        return empty_pb2.Empty()

    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """A command leaves nothing that could be read again; what is known stays as it is."""
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        if request.tok != FUNCTION:
            raise PlugError(f"{request.tok} is not supported here; {FUNCTION} is")
        given = decode(request.args)
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in inputs.problems(given, inputs.RUN).items()
        ]
        if given.get("command") is None:
            failures.append(provider_pb2.CheckFailure(property="command", reason="is required"))
        if failures:
            return provider_pb2.InvokeResponse(failures=failures)
        outputs = self._run(context, "", "command", given, {}, preview=False)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(outputs))  # a keyword in Python
        return response

    def _run(
        self,
        context: grpc.ServicerContext,
        urn: str,
        which: str,
        given: Properties,
        before: Properties,
        *,
        preview: bool,
    ) -> Properties:
        """The inputs and what command `which` printed, which is secret if any input is."""
        session = self.session(context)
        revealed, previous = reveal(given), reveal(before)
        command = revealed.get(which)
        results: Properties
        if command is None:
            results = {name: previous.get(name, "") for name in ("stdout", "stderr")}
        elif preview:
            results = {"stdout": UNKNOWN, "stderr": UNKNOWN}
        else:
            results = runner.run(
                runner.Run(command, revealed, previous),
                session.state,
                interrupted=lambda: session.interrupted(context),
                log=lambda line: session.log(urn, "INFO", line, ephemeral=True),
            )
        return {**given, **_protected(results, secret=has_secret(given))}


def _protected(results: Properties, *, secret: bool) -> Properties:
    def mark(value: Any) -> Any:
        return Secret(value) if secret and value is not UNKNOWN else value

    return {name: mark(results[name]) for name in _OUTPUTS if name in results}
