"""The server every plug is built on, spoken to over gRPC as the engine does."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.engine.failures import InitFailedError, PlugError
from sandbox.engine.plug import Plug, Session, server
from sandbox.engine.values import Properties, Secret, decode, encode


class Sample(Plug):
    package = "sample"
    version = "9.8.7"

    def configure(self, session: Session, config: Properties) -> str:
        return f"region {config['region']}"

    def Create(self, request, context):  # noqa: N802
        inputs = decode(request.properties)
        match request.name:
            case "refused":
                raise PlugError("names must be short")
            case "unhealthy":
                raise InitFailedError("id-1", {"a": 1}, inputs, ("still starting", "no address"))
            case "broken":
                raise KeyError("x")
        return provider_pb2.CreateResponse(id=self.session(context).state, properties=request.properties)


@pytest.fixture
def port() -> Iterator[int]:
    running, port = server(Sample(), 0)
    yield port
    running.stop(None)


def attach(port: int, region: str) -> provider_pb2_grpc.ResourceProviderStub:
    # A channel of its own per provider instance, as the engine has.
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.use_local_subchannel_pool", 1),))
    stub = provider_pb2_grpc.ResourceProviderStub(channel)
    stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
    stub.Configure(provider_pb2.ConfigureRequest(args=encode({"region": Secret(region)})))
    return stub


def test_reports_the_version_of_the_sdk_it_stands_in_for(port: int) -> None:
    assert attach(port, "a").GetPluginInfo(empty_pb2.Empty()).version == "9.8.7"


def test_two_instances_keep_their_own_settings(port: int) -> None:
    first, second = attach(port, "north"), attach(port, "south")
    assert first.Create(provider_pb2.CreateRequest()).id == "region north"
    assert second.Create(provider_pb2.CreateRequest()).id == "region south"


def test_a_refusal_reaches_the_engine_as_its_text(port: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        attach(port, "a").Create(provider_pb2.CreateRequest(name="refused"))
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNKNOWN, "names must be short")


def test_an_unhealthy_resource_reaches_the_engine_with_its_state(port: int) -> None:
    request = provider_pb2.CreateRequest(name="unhealthy", properties=encode({"b": 2}))
    with pytest.raises(grpc.RpcError) as caught:
        attach(port, "a").Create(request)
    packed = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(detail)
    assert (detail.id, decode(detail.properties), decode(detail.inputs)) == ("id-1", {"a": 1}, {"b": 2})
    assert list(detail.reasons) == ["still starting", "no address"]


def test_a_defect_names_itself(port: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        attach(port, "a").Create(provider_pb2.CreateRequest(name="broken"))
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.INTERNAL,
        "unexpected KeyError: 'x'",
    )


def test_a_call_nobody_serves_is_unimplemented(port: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        attach(port, "a").Read(provider_pb2.ReadRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_connection_that_never_attached_is_told_so(port: int) -> None:
    stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
    with pytest.raises(grpc.RpcError, match="restarted during this run"):
        stub.Create(provider_pb2.CreateRequest())


def test_a_taken_port_is_named(port: int) -> None:
    with pytest.raises(SystemExit, match=f"port {port} is taken"):
        server(Sample(), port)
