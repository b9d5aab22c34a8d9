"""Who is behind a connection: the engine's process, its user, program folder and environment.

Official providers are started by the engine and so inherit these. The sandbox's are attached to, so they
look the engine's process up by its end of the connection, and run programs (a resource's command, a
kubeconfig's credential plugin) as the engine would. Nobody gains rights by connecting.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from sandbox.engine.failures import PlugError

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


@dataclass(frozen=True)
class Caller:
    uid: int
    gid: int
    #: The program's folder, where commands without `dir` run.
    directory: Path
    environment: Mapping[str, str]

    def identity(self) -> dict[str, Any]:
        """Arguments for subprocess that make the child the caller's, when this process is somebody else's."""
        if self.uid == os.geteuid():
            return {}
        name = pwd.getpwuid(self.uid).pw_name
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(name, self.gid)}


def find(peer: str, port: int) -> Caller:
    """The caller behind a gRPC peer (`ipv4:127.0.0.1:PORT`) of our own `port` on loopback.

    Raises PlugError when it cannot be told.
    """
    ends = (int(peer.rpartition(":")[2]), port)
    try:
        pid = next(
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.pid
            and connection.laddr
            and connection.raddr
            and (connection.laddr.port, connection.raddr.port) == ends
        )
        process = psutil.Process(pid)
        return Caller(
            process.uids().effective,
            process.gids().effective,
            program_directory(Path(process.cwd())),
            {**os.environ, **process.environ()},
        )
    except (StopIteration, psutil.Error) as error:
        raise PlugError(
            "the provider cannot see the pulumi process that connected to it, and so does not know as whom "
            "and where to run programs; run pulumi as the user who started the sandbox, or as root"
        ) from error


def program_directory(start: Path) -> Path:
    """Folder of the program that an engine started in `start` runs (a project's `main` moves it)."""
    for folder in (start, *start.parents):
        for name in PROJECT_FILES:
            manifest = folder / name
            if manifest.is_file():
                main = (yaml.safe_load(manifest.read_text()) or {}).get("main")
                target = folder / main if main else folder
                return target if target.is_dir() else target.parent
    return start
