"""Plugins written in Python: policy packs (kind `analyzer`) and providers with a PulumiPlugin.yaml."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from pulumi.runtime.proto import language_pb2

from sandbox.engine.language_host import process, python


def run(
    request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
) -> Iterator[language_pb2.RunPluginResponse]:
    """Run the plugin, streaming what it writes; the engine ends it by giving up the call."""
    interpreter = python.find(request.info)
    child = process.start(
        [str(interpreter.executable), "-u", *_target(request)],
        environment={**interpreter.environment, **_environment(request, interpreter)},
        directory=request.pwd or ".",
        piped=True,
    )
    process.tie(child, context)
    for name, data in process.output(child):
        if name == "stdout":
            yield language_pb2.RunPluginResponse(stdout=data)
        else:
            yield language_pb2.RunPluginResponse(stderr=data)
    yield language_pb2.RunPluginResponse(exitcode=child.wait())


def _target(request: language_pb2.RunPluginRequest) -> list[str]:
    if request.kind == "analyzer":
        return ["-m", "pulumi.policy", *request.args, request.info.program_directory]
    return [request.info.program_directory, *request.args]


def _environment(request: language_pb2.RunPluginRequest, interpreter: python.Python) -> dict[str, str]:
    """The engine's variables, but for those that select the virtual environment."""
    given = dict(entry.split("=", 1) for entry in request.env if "=" in entry)
    if interpreter.virtualenv is not None:
        given.pop("PYTHONHOME", None)
        for name in ("PATH", "VIRTUAL_ENV"):
            given[name] = interpreter.environment[name]
    return given
