"""Ending processes by id, and only those that are meant: ids are reused, pidfds are not."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.host.errors import HostError

#: Finds the processes to end; asked again and again, because what is ended may just have forked.
Find = Callable[[], set[int]]


def end_all(find: Find, *, grace: float = 5.0, deadline: float = 30.0) -> int:
    """End all that `find` finds: TERM, `grace` seconds, then KILL until there is none. How many there were.

    Raises HostError naming what survives the `deadline` (seconds).
    """
    first = find()
    if not first:
        return 0
    _signal(find, signal.SIGTERM, time.monotonic() + grace)
    end = time.monotonic() + deadline
    while find():
        _signal(find, signal.SIGKILL, min(end, time.monotonic() + 1))
        if time.monotonic() >= end and (left := find()):
            rest = ", ".join(f"{pid} ({command(pid)})" for pid in sorted(left))
            raise HostError(f"these processes do not end, not even by SIGKILL: {rest}")
    return len(first)


def command(pid: int) -> str:
    """The command line, for messages."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "ended"
    return text.replace(b"\0", b" ").decode(errors="replace").strip() or "kernel"


def _signal(find: Find, number: signal.Signals, until: float) -> None:
    """Signal all and wait for them to end until a time of the monotonic clock.

    Each is held by a pidfd first and looked for again after that: what is found then is what is signalled.
    """
    with contextlib.ExitStack() as stack:
        handles: dict[int, int] = {}
        for pid in find():
            with contextlib.suppress(ProcessLookupError):
                handles[pid] = os.pidfd_open(pid)
                stack.callback(os.close, handles[pid])
        still = find()
        for pid, handle in handles.items():
            if pid in still:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
        _wait(handles.values(), until)


def _wait(handles: Iterable[int], until: float) -> None:
    poll, waiting = select.poll(), set(handles)
    for handle in waiting:
        poll.register(handle, select.POLLIN)
    while waiting and (left := until - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            waiting.discard(handle)
