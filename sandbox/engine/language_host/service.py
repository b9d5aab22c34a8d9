"""The LanguageRuntime service, as far as programs, policy packs and `pulumi about` need it."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.engine.failures import PlugError
from sandbox.engine.language_host import dependencies, plugin, program, python

_Message = TypeVar("_Message")


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Every method is called by the engine; failures become the gRPC status whose text the user reads."""

    def __init__(self, *, executor: Path, engine: str) -> None:
        self._executor = executor
        self._engine = engine

    def Handshake(  # noqa: N802
        self, request: language_pb2.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(  # noqa: N802
        self, _request: language_pb2.GetRequiredPackagesRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None: the engine would download what is named here; it asks for providers as it meets them."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(  # noqa: N802
        self, _request: language_pb2.GetRequiredPluginsRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        return language_pb2.GetRequiredPluginsResponse()

    def RuntimeOptionsPrompts(  # noqa: N802
        self, _request: language_pb2.RuntimeOptionsRequest, _context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    def Run(  # noqa: N802
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        return program.run(request, context, executor=self._executor, engine=self._engine)

    def RunPlugin(  # noqa: N802
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        return _streamed(context, lambda: plugin.run(request, context))

    def InstallDependencies(  # noqa: N802
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        return _streamed(context, lambda: dependencies.install(request.info, context))

    def About(  # noqa: N802
        self, request: language_pb2.AboutRequest, _context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        interpreter = python.find(request.info)
        asked = subprocess.run(
            [str(interpreter.executable), "-c", "import platform; print(platform.python_version())"],
            capture_output=True,
            text=True,
            check=True,
        )
        return language_pb2.AboutResponse(
            executable=str(interpreter.executable),
            version=asked.stdout.strip(),
            metadata={"language host": f"Python {platform.python_version()}"},
        )

    def GetProgramDependencies(  # noqa: N802
        self, request: language_pb2.GetProgramDependenciesRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        found = dependencies.installed(request.info, transitive=request.transitiveDependencies)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=number) for name, number in found]
        )

    def Cancel(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Nothing to do: the engine also gives up the calls under way, which ends what they started."""
        return empty_pb2.Empty()


def _streamed(context: grpc.ServicerContext, stream: Callable[[], Iterator[_Message]]) -> Iterator[_Message]:
    try:
        yield from stream()
    except PlugError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
