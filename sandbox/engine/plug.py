"""What every Pulumi provider of the sandbox shares: serving, attaching, one session per engine connection.

The engine attaches to a running plug (`PULUMI_DEBUG_PROVIDERS=name:port`), opening one connection per
provider instance of each run. Requests do not name the instance they are for, so the configuration is kept
per connection: two providers with different settings, or two runs at once, do not see each other's.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from sandbox.engine.failures import Interceptor, PlugError
from sandbox.engine.values import Properties, decode, reveal

log = logging.getLogger(__name__)

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

#: Connections remembered. Engines do not say goodbye; the oldest are forgotten first.
_SESSIONS = 1024
#: Calls served at once, over all engines; waiting for Azure or a rollout holds one.
_THREADS = 256
#: The engine's own limit (sdk/go/common/util/rpcutil).
_MESSAGE_BYTES = 400 * 1024 * 1024


class CancelledError(PlugError):
    """The user interrupted the run."""


@dataclass
class Session:
    """One provider instance of one engine run."""

    #: host:port of the engine's own service, for log lines.
    engine: str
    #: The client's end of the connection, as gRPC names it.
    peer: str
    #: Provider settings with secrets revealed; None until Configure (or for ever, if they are unknown).
    config: Properties | None = None
    #: Whatever the plug made of `config`.
    state: Any = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    _channel: grpc.Channel | None = None

    def log(self, urn: str, severity: Severity, message: str, *, ephemeral: bool = False) -> None:
        """Show a line below the resource; `ephemeral` ones are only its current status."""
        if self._channel is None:
            self._channel = grpc.insecure_channel(self.engine)
        request = engine_pb2.LogRequest(
            severity=engine_pb2.LogSeverity.Value(severity), message=message, urn=urn, ephemeral=ephemeral
        )
        try:
            engine_pb2_grpc.EngineStub(self._channel).Log(request, timeout=5)
        except grpc.RpcError as error:
            log.warning("the engine at %s took no log line: %s", self.engine, error)

    def interrupted(self, context: grpc.ServicerContext) -> bool:
        """Whether nobody waits for a call any more: the user interrupted, or the engine was killed."""
        return self.cancelled.is_set() or not context.is_active()

    def pause(self, context: grpc.ServicerContext, seconds: float) -> None:
        """Wait between two polls of a call. Raises CancelledError when it is interrupted."""
        self.cancelled.wait(seconds)
        if self.interrupted(context):
            raise CancelledError("interrupted")

    def sleep(self, seconds: float) -> None:
        """Wait between two polls. Raises CancelledError as soon as the user interrupts."""
        if self.cancelled.wait(seconds):
            raise CancelledError("interrupted")


class Plug(provider_pb2_grpc.ResourceProviderServicer):
    """Base of a provider: the calls that are not about one resource. Subclasses add Check, Diff, Create, …

    Methods may raise PlugError (the text is shown) or InitFailedError (the resource exists but is unhealthy).
    """

    package: ClassVar[str]
    #: The version of the SDK this provider stands in for.
    version: ClassVar[str]

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()
        #: Where it listens on 127.0.0.1; set when it is served.
        self.port = 0

    def configure(self, session: Session, config: Properties) -> Any:
        """Make `session.state` from the provider's settings. Raises PlugError for bad ones."""

    def session(self, context: grpc.ServicerContext) -> Session:
        """The session a request belongs to. Raises PlugError when its connection never attached."""
        with self._lock:
            session = self._sessions.get(context.peer())
        if session is None:
            raise PlugError(f"the {self.package} provider was restarted during this run; run it again")
        return session

    def _open(self, context: grpc.ServicerContext, engine: str) -> None:
        peer = context.peer()
        with self._lock:
            if peer not in self._sessions:
                self._sessions[peer] = Session(engine, peer)
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)

    def Handshake(  # noqa: N802
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        with self._lock:
            self._sessions.pop(context.peer(), None)  # a new client on a reused port
        self._open(context, request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, supports_autonaming_configuration=False
        )

    def Attach(  # noqa: N802
        self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        self._open(context, request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(  # noqa: N802
        self, _request: provider_pb2.GetSchemaRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(
            schema=f'{{"name": "{self.package}", "version": "{self.version}"}}'
        )

    def CheckConfig(  # noqa: N802
        self, request: provider_pb2.CheckRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(  # noqa: N802
        self, _request: provider_pb2.DiffRequest, _context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_UNKNOWN)

    def Configure(  # noqa: N802
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        session = self.session(context)
        session.config = reveal(decode(request.args))
        session.state = self.configure(session, session.config)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def Cancel(  # noqa: N802
        self, _request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        self.session(context).cancelled.set()
        return empty_pb2.Empty()


def server(plug: Plug, port: int) -> tuple[grpc.Server, int]:
    """A started server on loopback and its port (0: a free one). An unreferenced server stops: keep it."""
    made = grpc.server(
        ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix=plug.package),
        interceptors=[Interceptor()],
        options=(
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ),
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(plug, made)
    try:
        bound = made.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise SystemExit(
            f"{plug.package}: port {port} is taken on 127.0.0.1; give another with --port"
        ) from error
    plug.port = bound
    made.start()
    return made, bound


def main(plug: Plug, arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Prints the port on the first line, as the engine expects of a plugin."""
    parser = argparse.ArgumentParser(description=f"Pulumi resource provider `{plug.package}` {plug.version}.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("sandbox").setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running, port = server(plug, options.port)
    print(port, flush=True)  # noqa: T201
    stop.wait()
    running.stop(grace=5).wait()
