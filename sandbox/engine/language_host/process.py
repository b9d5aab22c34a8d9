"""Child processes of the language host: they end with the call that started them, and with the host."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

import grpc

Chunk = tuple[Literal["stdout", "stderr"], bytes]

_GRACE_SECONDS = 5.0


def start(
    command: Sequence[str], *, environment: Mapping[str, str], directory: str | Path, piped: bool
) -> subprocess.Popen[bytes]:
    """Start in a process group of its own, so that an interrupt meant for the engine does not hit the child.

    Without `piped` the child writes to the host's own output, which the engine shows.
    """
    setpriv = shutil.which("setpriv")  # util-linux; ends the child even when this host is killed outright
    prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    return subprocess.Popen(
        [*prefix, *command],
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if piped else None,
        stderr=subprocess.PIPE if piped else None,
        start_new_session=True,
    )


def end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it started: SIGTERM, and SIGKILL if that is not enough."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:  # its id may belong to somebody else by now
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        try:
            child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def tie(child: subprocess.Popen[bytes], context: grpc.ServicerContext) -> None:
    """End the child when the engine gives up the call (also called when the call is over: then a no-op)."""
    if not context.add_callback(lambda: threading.Thread(target=end, args=(child,)).start()):
        end(child)


def output(child: subprocess.Popen[bytes]) -> Iterator[Chunk]:
    """What the child writes, as it writes it, until it has closed both streams."""
    chunks: queue.Queue[Chunk | None] = queue.Queue()

    def pump(name: Literal["stdout", "stderr"], stream: IO[bytes]) -> None:
        while data := os.read(stream.fileno(), 65536):
            chunks.put((name, data))
        chunks.put(None)

    streams: tuple[tuple[Literal["stdout", "stderr"], IO[bytes] | None], ...] = (
        ("stdout", child.stdout),
        ("stderr", child.stderr),
    )
    open_streams = [(name, stream) for name, stream in streams if stream is not None]
    for name, stream in open_streams:
        threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    remaining = len(open_streams)
    while remaining:
        chunk = chunks.get()
        if chunk is None:
            remaining -= 1
        else:
            yield chunk
