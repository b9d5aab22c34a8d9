"""Running one command to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from sandbox.engine.caller import Caller
from sandbox.engine.command import files
from sandbox.engine.failures import PlugError
from sandbox.engine.plug import CancelledError
from sandbox.engine.values import Properties

Stream = Literal["stdout", "stderr"]

_SHELL = ("/bin/sh", "-c")
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Run:
    """A command, the resource's (or invoke's) revealed inputs, and what the run before it printed."""

    command: str
    inputs: Mapping[str, Any]
    previous: Mapping[str, Any]


def run(
    wanted: Run, caller: Caller, *, interrupted: Callable[[], bool], log: Callable[[str], None]
) -> Properties:
    """The outputs stdout, stderr, assets and archive. Raises PlugError with all it printed when it fails."""
    directory = caller.directory / (wanted.inputs.get("dir") or ".")
    child = _start(wanted, caller, directory)
    logged = _logged(wanted.inputs.get("logging"))
    printed: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
    both: list[str] = []

    def read(name: Stream, stream: IO[str]) -> None:
        for line in stream:
            printed[name].append(line)
            both.append(line)
            if name in logged:
                log(line.rstrip("\n"))

    readers = [
        threading.Thread(target=read, args=(name, stream), daemon=True)
        for name, stream in (("stdout", child.stdout), ("stderr", child.stderr))
    ]
    for reader in readers:
        reader.start()
    _feed(child, wanted.inputs.get("stdin"))
    _wait(child, interrupted)
    for reader in readers:
        reader.join()
    if child.returncode:
        raise PlugError(f'{_status(child.returncode)}: running "{wanted.command}":\n{"".join(both)}')
    outputs: Properties = {name: "".join(lines).removesuffix("\n") for name, lines in printed.items()}
    if (paths := wanted.inputs.get("assetPaths")) is not None:
        outputs["assets"] = files.assets(directory, paths)
    if (paths := wanted.inputs.get("archivePaths")) is not None:
        outputs["archive"] = files.archive(files.assets(directory, paths))
    return outputs


def _start(wanted: Run, caller: Caller, directory: Path) -> subprocess.Popen[str]:
    environment = {**caller.environment, **(wanted.inputs.get("environment") or {})}
    if wanted.inputs.get("addPreviousOutputInEnv") is not False:
        for name in ("stdout", "stderr"):
            if text := wanted.previous.get(name):
                environment[f"PULUMI_COMMAND_{name.upper()}"] = text
    command = [*(wanted.inputs.get("interpreter") or _SHELL), wanted.command]
    if not directory.is_dir():
        raise PlugError(f'running "{wanted.command}": the directory {directory} does not exist')
    try:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE if wanted.inputs.get("stdin") else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            **caller.identity(),
        )
    except OSError as error:
        raise PlugError(f'running "{wanted.command}": {error.strerror}: {error.filename}') from error


def _feed(child: subprocess.Popen[str], text: str | None) -> None:
    if child.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError), child.stdin as stream:  # a command need not read it all
        stream.write(text or "")


def _wait(child: subprocess.Popen[str], interrupted: Callable[[], bool]) -> None:
    while child.returncode is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_SECONDS)
        if child.returncode is None and interrupted():
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise CancelledError("the command was interrupted")


def _status(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"signal: {signal.Signals(-code).name}"


def _logged(logging: str | None) -> frozenset[Stream]:
    both: frozenset[Stream] = frozenset({"stdout", "stderr"})
    chosen: dict[str | None, frozenset[Stream]] = {
        "stdout": frozenset({"stdout"}),
        "stderr": frozenset({"stderr"}),
        "none": frozenset(),
    }
    return chosen.get(logging, both)
