"""The gRPC side: what the engine asks, answered with the parts of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any, ClassVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.config import Config
from sandbox.engine import caller, plug
from sandbox.engine.azure_native import functions, outputs
from sandbox.engine.azure_native.arm_client import patient
from sandbox.engine.azure_native.azure import Azure, Connections
from sandbox.engine.azure_native.check import check
from sandbox.engine.azure_native.crud import Resource
from sandbox.engine.azure_native.diff import changes, replacing
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.naming import is_auto
from sandbox.engine.failures import PlugError
from sandbox.engine.plug import Session
from sandbox.engine.values import Properties, conceal, decode, encode, has_unknown, reveal
from sandbox.types import cache, table
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema

_TYPE_VERSION = re.compile(r"/v(\d{4})(\d{2})(\d{2})(\w*):")
_KINDS = {"add": 0, "delete": 2, "update": 4}


def _row(token: str) -> ArmType:
    row = table.by_token(token)
    if row is None:
        raise PlugError(f"{token} is not a resource type that this provider knows")
    return row


def _type_of(urn: str) -> str:
    """The type of a URN, without those of its parents."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def _api_version(row: ArmType, token: str) -> str:
    """The version that a token names (`…/v20230201:Vault`), else the SDK's."""
    match = _TYPE_VERSION.search(token)
    if match is None:
        return row.api_version
    year, month, day, suffix = match.groups()
    return f"{year}-{month}-{day}" + (f"-{suffix}" if suffix else "")


class AzureNative(plug.Plug):
    """Provider `azure-native`."""

    package: ClassVar[str] = "azure-native"
    version: ClassVar[str] = version("pulumi-azure-native")

    def __init__(self, connections: Connections | None = None, journal: Journal | None = None) -> None:
        super().__init__()
        self._connections = connections or Connections()
        self._journal = journal or Journal(Config().state / "azure-native" / "creations.json")

    def configure(self, session: Session, config: Properties) -> Azure:
        # The official provider inherits the engine's environment; ours looks it up.
        return Azure(self._connections, config, session, caller.find(session.peer, self.port).environment)

    def _azure(self, context: grpc.ServicerContext) -> Azure:
        found: Azure | None = self.session(context).state
        if found is None:
            raise PlugError("the azure-native provider is not configured")
        return found

    def _resource(
        self, urn: str, resource_id: str, context: grpc.ServicerContext, timeout: float = 0
    ) -> Resource:
        """`timeout` in seconds, from the resource's customTimeouts."""
        token = _type_of(urn)
        row = _row(token)
        client = self._azure(context).client
        client = replace(client, sleep=patient(client.sleep, timeout))
        return Resource(row, resource_id, client, _api_version(row, token))

    def Check(  # noqa: N802
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        row = _row(_type_of(request.urn))
        unfinished = self._journal.unfinished(request.urn)
        checked = check(
            row,
            cache.schema(row),
            self._azure(context),
            logical_name=_name_of(request.urn),
            seed=request.randomSeed,
            old=decode(request.olds) or (unfinished and row.parse(unfinished)) or {},
            new=decode(request.news),
        )
        failures = [provider_pb2.CheckFailure(property=name, reason=text) for name, text in checked.failures]
        return provider_pb2.CheckResponse(inputs=encode(checked.inputs), failures=failures)

    def Diff(  # noqa: N802
        self, request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        self._journal.forget(request.urn, request.id)
        row = _row(_type_of(request.urn))
        new = decode(request.news)
        found = changes(decode(request.old_inputs), new)
        forcing = {change.path for change in replacing(row, cache.schema(row), found)}
        detailed = {
            change.path: provider_pb2.PropertyDiff(
                kind=_KINDS[change.kind] + (change.path in forcing),  # type: ignore[arg-type]
                inputDiff=True,
            )
            for change in found
        }
        auto = row.name_parameter and is_auto(row, _name_of(request.urn), reveal(new.get(row.name_parameter)))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=sorted(forcing),
            diffs=sorted({str(change.steps[0]) for change in found}),
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(forcing) and not auto,
        )

    def Create(  # noqa: N802
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        inputs = decode(request.properties)
        row = _row(_type_of(request.urn))
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(_preview(row, inputs, None)))
        resource_id = _id(row, inputs, self._azure(context))
        resource = self._resource(request.urn, resource_id, context, request.timeout)
        made = resource.create(inputs, self._journal, request.urn)
        return provider_pb2.CreateResponse(id=resource_id, properties=encode(_concealed(row, made, inputs)))

    def Update(  # noqa: N802
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        inputs = decode(request.news)
        row = _row(_type_of(request.urn))
        if request.preview:
            return provider_pb2.UpdateResponse(properties=encode(_preview(row, inputs, decode(request.olds))))
        made = self._resource(request.urn, request.id, context, request.timeout).update(inputs)
        return provider_pb2.UpdateResponse(properties=encode(_concealed(row, made, inputs)))

    def Read(  # noqa: N802
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        row = _row(_type_of(request.urn))
        named = row.parse(request.id)
        if named is None:
            raise PlugError(f"'{request.id}' is not the id of a {row.type}; ids look like {row.path}")
        body = self._resource(request.urn, request.id, context).read()
        if body is None:
            return provider_pb2.ReadResponse()
        self._journal.forget(request.urn, request.id)
        old = decode(request.inputs)
        now = outputs.of(row, body)
        inputs = _read_inputs(row, old, decode(request.properties), now, named)
        return provider_pb2.ReadResponse(
            id=request.id, properties=encode(_concealed(row, now, inputs)), inputs=encode(inputs)
        )

    def Delete(  # noqa: N802
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        self._resource(request.urn, request.id, context, request.timeout).delete()
        self._journal.forget(request.urn, request.id)
        return empty_pb2.Empty()

    def Invoke(  # noqa: N802
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        arguments = decode(request.args)
        if has_unknown(arguments):
            raise PlugError(f"{request.tok} was called with values that are not known yet")
        found = functions.invoke(request.tok, reveal(arguments), self._azure(context))
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(encode(found))
        return answer


def _id(row: ArmType, inputs: Mapping[str, Any], azure: Azure) -> str:
    values = {name: str(reveal(inputs[name])) for name in row.parameters if name in inputs}
    if "subscriptionId" in row.parameters:
        values["subscriptionId"] = azure.subscription
    try:
        return row.format(values)
    except KeyError as error:
        raise PlugError(f"missing required property {error}") from None


def _preview(row: ArmType, inputs: Properties, old: Properties | None) -> Properties:
    return outputs.preview(cache.schema(row), inputs, old)


def _concealed(row: ArmType, made: Properties, inputs: Properties) -> Properties:
    """Outputs that repeat a secret input are secret too."""
    found: Properties = conceal(
        made, {name: item for name, item in inputs.items() if name not in row.parameters}
    )
    return found


def _read_inputs(
    row: ArmType, old: Properties, before: Properties, now: Properties, named: Mapping[str, str]
) -> Properties:
    """The inputs of a resource as read: the old ones with what drifted, or on import what can be set."""
    schema: Schema = cache.schema(row)
    settable = outputs.as_inputs(schema, now)
    if not old:
        path = {
            name: f"/{value}" if name in {"scope", "resourceUri"} else value for name, value in named.items()
        }
        path.pop("subscriptionId", None)
        return {**settable, **path}
    return outputs.drifted(row, old, outputs.as_inputs(schema, reveal(before)), settable)
