"""Running a command on the sandbox's internet: a place outside every virtual network and beside the host.

The command sees the machine's files, but has other addresses and other names: what the host knows of private
networks is not known there.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from sandbox.config import Config, invoking_user
from sandbox.host import files, netns, network
from sandbox.host.errors import HostError


def command(config: Config, wanted: Sequence[str]) -> list[str]:
    """What to execute, as root, for `wanted` to run there as whoever called. Raises HostError."""
    name = network.internet_netns(config)
    if not netns.exists(name):
        raise HostError("the sandbox is not running; start it with `uv run sandbox up` (or `make up`)")
    folder = config.run / "internet"
    files.write_if_changed(folder / "hosts", "127.0.0.1 localhost\n")
    files.write_if_changed(folder / "resolv.conf", f"nameserver {config.gateway}\n")
    # The resolver's file may be a link. Mounts are this command's own and end with it.
    script = "\n".join(
        [
            'resolver=$(readlink -m /etc/resolv.conf); [ -e "$resolver" ] || touch "$resolver"',
            f'mount --bind {shlex.quote(str(folder / "resolv.conf"))} "$resolver"',
            f"mount --bind {shlex.quote(str(folder / 'hosts'))} /etc/hosts",
            'exec "$@"',
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
