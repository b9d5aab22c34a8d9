"""How a `Program` is written down for supervisord: a start script and a section that runs it.

The script carries the command, environment and folder in the shell's quoting, which has no forbidden
characters; supervisord's own format cannot hold some (newlines, ` ;`). It is also what a person can run.
"""

from __future__ import annotations

import pwd
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from sandbox.config import Config
from sandbox.host import netns
from sandbox.host.errors import HostError
from sandbox.services import Program

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOG_BYTES = "10MB"
_LOG_FILES = 2
#: Starts tried in a row before a program counts as FATAL. The pauses between them grow by 1 s each, so this
#: bridges over three minutes in which something that it needs is away.
RETRIES = 20


@dataclass(frozen=True)
class Definition:
    """Two files; equal definitions run equally."""

    script: Path
    script_text: str
    section: Path
    section_text: str

    def is_written(self) -> bool:
        return _text(self.script) == self.script_text and _text(self.section) == self.section_text


def log_path(config: Config, name: str) -> Path:
    return config.logs / f"{name}.log"


def sections(config: Config) -> Path:
    return config.run / "conf.d"


def scripts(config: Config) -> Path:
    return config.run / "programs"


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise HostError(f"'{name}' cannot name a program; use letters, digits, dots, hyphens, underscores")
    return name


def define(config: Config, program: Program) -> Definition:
    name = check_name(program.name)
    script = scripts(config) / f"{name}.sh"
    return Definition(
        script=script,
        script_text=_script(program),
        section=sections(config) / f"{name}.ini",
        section_text=_section(config, program, script),
    )


def _script(program: Program) -> str:
    lines = ["#!/bin/sh"]
    for key, value in sorted((program.env or {}).items()):
        if not _VARIABLE.fullmatch(key):
            raise HostError(f"program {program.name}: '{key}' cannot name an environment variable")
        lines.append(f"export {key}={shlex.quote(value)}")
    if program.directory is not None:
        lines.append(f"cd {shlex.quote(str(program.directory))} || exit 1")
    command = list(program.command)
    if program.user is not None:
        user = pwd.getpwnam(program.user)
        lines.append(f"export HOME={shlex.quote(user.pw_dir)} USER={shlex.quote(user.pw_name)}")
        command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", *command]
    if program.netns is not None:
        # Not `ip netns exec`: that gives a new mount namespace whose /sys lacks the cgroups.
        command = ["nsenter", f"--net={netns.path(program.netns)}", *command]
    return "\n".join([*lines, f"exec {shlex.join(command)}", ""])


def _section(config: Config, program: Program, script: Path) -> str:
    return f"""[program:{program.name}]
command=/bin/sh {_escape(shlex.quote(str(script)))}
autostart=true
autorestart=true
startsecs={program.start_seconds}
startretries={RETRIES}
stopsignal={program.stop_signal}
stopwaitsecs={program.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={_escape(str(log_path(config, program.name)))}
stdout_logfile_maxbytes={_LOG_BYTES}
stdout_logfile_backups={_LOG_FILES}
"""


def _escape(text: str) -> str:
    """`%` starts an expansion in supervisord's files."""
    return text.replace("%", "%%")


def _text(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None
