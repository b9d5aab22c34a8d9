"""Running a command on the sandbox's internet: a place outside every virtual network and beside the host.

The command sees the machine's files, but has other addresses and other names: what the host knows of private
networks is not known there.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from sandbox.config import Config, invoking_user
from sandbox.host import netns, network
from sandbox.host.errors import HostError


def command(config: Config, wanted: Sequence[str]) -> list[str]:
    """What to execute, as root, for `wanted` to run there as whoever called. Raises HostError."""
    name = network.internet_netns(config)
    if not netns.exists(name):
        raise HostError("the sandbox is not running; start it with `uv run sandbox up` (or `make up`)")
    folder = config.run / "internet"
    folder.mkdir(parents=True, exist_ok=True)
    # A copy, because a mount on a single file is lost when the host replaces the file, as it does with every
    # new name. Mounts are this command's own and end with it.
    script = "\n".join(
        [
            f"here=$PWD; mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(folder))}",
            f"cp -a /etc {shlex.quote(str(folder))} && cd {shlex.quote(str(folder))}/etc",
            "rm -f hosts resolv.conf && echo 127.0.0.1 localhost > hosts",
            f"echo nameserver {config.gateway} > resolv.conf",
            'mount --bind . /etc && cd "$here" && exec "$@"',
        ]
    )
    enter = ["nsenter", f"--net={netns.path(name)}", "unshare", "--mount", "--propagation", "private"]
    return [*enter, "sh", "-euc", script, "sh", *_as_user(), *wanted]


def _as_user() -> list[str]:
    """Back to the user behind sudo."""
    user = invoking_user()
    if user.pw_uid == os.geteuid():
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
