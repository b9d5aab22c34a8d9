"""Running a Pulumi program: the SDK's `pulumi-language-python-exec` under the program's own Python."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2

from sandbox.engine.language_host import process, python

#: Exit code of a program whose error has been shown already (python/cmd/pulumi-language-python-exec).
_ERROR_SHOWN = 32


def run(
    request: language_pb2.RunRequest, context: grpc.ServicerContext, *, executor: Path, engine: str
) -> language_pb2.RunResponse:
    """Run to the end; the program's output goes to this process's own, which the engine shows."""
    interpreter = python.find(request.info)
    environment = {
        **interpreter.environment,
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        "PYTHONUNBUFFERED": "1",
    }
    child = process.start(
        [str(interpreter.executable), "-u", str(executor), *arguments(request, engine)],
        environment=environment,
        directory=request.pwd or ".",
        piped=False,
    )
    process.tie(child, context)
    match child.wait():
        case 0:
            return language_pb2.RunResponse()
        case code if code == _ERROR_SHOWN:
            return language_pb2.RunResponse(bail=True)
        case code if code < 0:
            return language_pb2.RunResponse(error=f"Program was ended by signal {-code}")
        case code:
            return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")


def arguments(request: language_pb2.RunRequest, engine: str) -> list[str]:
    """The executor's command line. Empty values are left out: it takes a missing option as None."""
    options = {
        "--monitor": request.monitor_address,
        "--engine": engine,
        "--project": request.project,
        "--root_directory": request.info.root_directory,
        "--stack": request.stack,
        "--pwd": request.pwd,
        "--dry_run": "true" if request.dryRun else "",
        "--parallel": str(request.parallel),
        "--organization": request.organization,
    }
    given = [part for name, value in options.items() if value for part in (name, value)]
    entry = request.info.entry_point or request.program or "."
    return [*given, entry, *request.args]
