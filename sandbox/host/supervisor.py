"""Starting and ending supervised programs (the `Supervisor` of `sandbox.services`), and supervisord itself.

Programs are files under `run/conf.d` and `run/programs`; supervisord is told of each change. Calls block, so
the asynchronous face runs them in threads of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sandbox.config import Config, invoking_user
from sandbox.host import files, programs, rpc
from sandbox.host.errors import HostError
from sandbox.services import Program

_Result = TypeVar("_Result")
#: Seconds between looks at a program that is starting.
_LOOK = 0.1
#: Seconds beyond a program's own `start_seconds` until its start counts as failed (it is still retried).
_PATIENCE = 30.0
#: Seconds after which a supervisor that does not say how it is counts as dead.
_ALIVE = 5.0
#: Seconds that all programs together may take to stop before they are ended the hard way.
_HURRY = 8.0
#: A unix socket's path may have 107 bytes (unix(7)).
_SOCKET_BYTES = 107
_ABSENT = "ABSENT"


class Programs:
    """Blocking calls, safe to use from several threads and processes (each caring for its own programs)."""

    def __init__(self, config: Config, *, patience: float = _PATIENCE) -> None:
        self._config = config
        self._patience = patience
        self._socket = socket_path(config)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def start(self, program: Program) -> None:
        """Start, or restart if the definition changed; returns once it is RUNNING.

        Raises HostError with the last lines of its log when it does not stay up.
        """
        wanted = programs.define(self._config, program)
        with self._locks[program.name]:
            state = self.state(program.name)
            if state in {"RUNNING", "STARTING"} and wanted.is_written():
                self._await_running(program)
                return
            if state != _ABSENT:
                self._forget(program.name, program.stop_seconds)
            files.write_if_changed(wanted.script, wanted.script_text, mode=0o600)
            files.write_if_changed(wanted.section, wanted.section_text)
            self._reload()
            self._call("addProcessGroup", program.name, unless=rpc.ALREADY_ADDED)
            self._await_running(program)

    def revive(self) -> list[str]:
        """Start again what supervisord has given up; names of the programs."""
        dead = [name for name, info in self.details().items() if info["statename"] in {"FATAL", "EXITED"}]
        for name in dead:
            with self._locks[name]:
                self._call("startProcess", name, False, unless=rpc.ALREADY_STARTED)
        return dead

    def stop(self, name: str, *, seconds: int = 60) -> None:
        """End and forget; a no-op when unknown. `seconds` bounds the wait for its end."""
        programs.check_name(name)
        with self._locks[name]:
            if self.state(name) != _ABSENT:
                self._forget(name, seconds)
            (programs.sections(self._config) / f"{name}.ini").unlink(missing_ok=True)
            (programs.scripts(self._config) / f"{name}.sh").unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """End at once what would not end by itself; supervisord starts it again."""
        self._call("signalProcess", name, "KILL")

    def stop_all(self) -> None:
        """End all programs at once, without waiting for the slow ones for more than some seconds."""
        self._call("stopAllProcesses", timeout=_HURRY)

    def state(self, name: str) -> str:
        info = self._call("getProcessInfo", name, unless=rpc.BAD_NAME)
        return str(info["statename"]) if info else _ABSENT

    def log_end(self, name: str) -> str:
        """For error messages: where the program's log is and how it ends."""
        return last_lines(programs.log_path(self._config, name))

    def details(self) -> Mapping[str, Mapping[str, Any]]:
        """Program name -> supervisord's process info (statename, pid, start, spawnerr, …)."""
        return {info["name"]: info for info in self._call("getAllProcessInfo")}

    def is_alive(self) -> bool:
        """Whether supervisord answers and is not on its way down."""
        try:
            state = self._call("getState", timeout=_ALIVE)
        except rpc.UnreachableError:
            return False
        return bool(state["statename"] == "RUNNING")

    def pid(self) -> int:
        return int(self._call("getPID"))

    def _forget(self, name: str, stop_seconds: int) -> None:
        # supervisord answers when the program has ended, by KILL if need be.
        self._call("stopProcess", name, unless=rpc.NOT_RUNNING, timeout=stop_seconds + rpc.DEADLINE)
        self._call("removeProcessGroup", name, unless=rpc.BAD_NAME)

    def _reload(self) -> None:
        """Have the definitions read. A file that vanishes under the reader makes it fail: try again."""
        for _ in range(5):
            try:
                rpc.call(self._socket, "reloadConfig")
            except rpc.Fault as fault:
                if fault.faultCode != rpc.CANT_REREAD:
                    raise
                reason = fault.faultString
            else:
                return
        raise HostError(f"supervisord cannot read {programs.sections(self._config)}: {reason}")

    def _await_running(self, program: Program) -> None:
        end = time.monotonic() + program.start_seconds + self._patience
        while (state := self.state(program.name)) != "RUNNING":
            if state in {"FATAL", "STOPPED", "EXITED", _ABSENT} or time.monotonic() > end:
                raise HostError(f"{program.name} does not start ({state}). {self.log_end(program.name)}")
            time.sleep(_LOOK)

    def _call(
        self, method: str, *arguments: Any, unless: int | None = None, timeout: float = rpc.DEADLINE
    ) -> Any:
        """Result, or None when supervisord answers with the fault `unless`."""
        try:
            return rpc.call(self._socket, method, *arguments, timeout=timeout)
        except rpc.Fault as fault:
            if fault.faultCode == unless:
                return None
            raise HostError(f"supervisord refused {method} {arguments}: {fault.faultString}") from fault


class AsyncSupervisor:
    """The `Supervisor` of `sandbox.services`."""

    def __init__(self, config: Config) -> None:
        self._programs = Programs(config)
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="supervisor")

    async def start(self, program: Program) -> None:
        await self._run(lambda: self._programs.start(program))

    async def stop(self, name: str) -> None:
        await self._run(lambda: self._programs.stop(name))

    async def status(self) -> Mapping[str, str]:
        details = await self._run(self._programs.details)
        return {name: str(info["statename"]) for name, info in details.items()}

    async def _run(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def socket_path(config: Config) -> Path:
    return config.run / "supervisor.sock"


def launch(config: Config, *, deadline: float = 20.0) -> None:
    """Start supervisord, without any program, in the sandbox's cgroup (which exists). Seconds: `deadline`."""
    _check_socket_path(config)
    for folder in (programs.sections(config), programs.scripts(config), config.logs):
        folder.mkdir(parents=True, exist_ok=True)
    path = config.run / "supervisord.conf"
    files.write(path, _supervisord_conf(config))
    output = config.logs / "supervisord.out"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.host.daemon", str(path), config.cgroup],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd="/",
            env=_base_environment(config),
            start_new_session=True,
        )
    end = time.monotonic() + deadline
    alive = Programs(config)
    while not alive.is_alive():
        if process.poll() is not None or time.monotonic() > end:
            raise HostError(f"supervisord does not start. {last_lines(output)}")
        time.sleep(_LOOK)


def last_lines(log: Path, count: int = 8) -> str:
    """For error messages: where the log is and how it ends."""
    if not log.is_file() or not (text := log.read_text(errors="replace").strip()):
        return f"Its log {log} is empty"
    tail = "\n  ".join(text.splitlines()[-count:])
    return f"Its log {log} ends with:\n  {tail}"


def _base_environment(config: Config) -> dict[str, str]:
    """What every program starts with: the same whoever starts the sandbox, and from where."""
    user = invoking_user()
    variables = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SUDO_UID": str(user.pw_uid),
    }
    if user.pw_uid != 0:
        # Root's bytecode in the user's checkout would be files that the user cannot remove.
        variables["PYTHONPYCACHEPREFIX"] = str(config.state / "bytecode")
    return variables


def _supervisord_conf(config: Config) -> str:
    owner = invoking_user()
    return f"""[unix_http_server]
file={socket_path(config)}
chmod=0600
chown={owner.pw_uid}:{owner.pw_gid}

[supervisord]
logfile={config.logs / "supervisord.log"}
logfile_maxbytes=10MB
logfile_backups=1
loglevel=info
pidfile={config.run / "supervisord.pid"}
nodaemon=true
silent=true
minfds={_descriptors()}
user=root
strip_ansi=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = conf.d/*.ini
"""


def _descriptors() -> int:
    """supervisord holds a few per program. It raises its limit to this, and closes as many in every child."""
    return 4096


def _check_socket_path(config: Config) -> None:
    path = os.fsencode(socket_path(config))
    if len(path) > _SOCKET_BYTES:
        raise HostError(
            f"the state folder's path is too long for a socket ({len(path)} bytes, {_SOCKET_BYTES} fit): "
            f"{config.state}. Choose a shorter one: AGENTS_SANDBOX_STATE=/var/lib/agents-sandbox"
        )
