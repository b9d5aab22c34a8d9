"""`sandbox`: the command line of the local Azure. Thin: each command is one call."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox import deploy as deployment
from sandbox.config import Config
from sandbox.host import environment, lifecycle, programs, session
from sandbox.host.errors import HostError
from sandbox.toolchain import ToolchainError
from sandbox.toolchain.privileges import become_root

app = typer.Typer(
    help="A local Azure made of real parts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _console() -> Console:
    return Console(highlight=False)


@app.command()
def up() -> None:
    """Install what is missing and start the sandbox; quick and harmless when it runs."""
    lifecycle.up(_as_root(), _console())


@app.command()
def down() -> None:
    """Stop the sandbox and leave nothing behind but its state."""
    lifecycle.down(_as_root(), _console())


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop the sandbox and forget its state: every resource, secret and stack in it."""
    config = _as_root()
    if not yes:
        typer.confirm(f"Remove everything in {config.state}?", abort=True)
    lifecycle.reset(config, _console())


@app.command()
def deploy() -> None:
    """Run `pulumi up` of dev on the sandbox and ask an agent."""
    deployment.deploy(_as_root(), _console())


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say what runs and since when; exit code 1 when the sandbox does not."""
    found = lifecycle.status(Config())
    if as_json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    elif not found.parts:
        print("The sandbox is down. Next: `make up`.")
    else:
        table = Table("part", "state", "since", "log")
        for part in found.parts:
            since = dt.datetime.fromtimestamp(part.since).astimezone() if part.since else None
            table.add_row(part.name, part.state, since.isoformat(" ", "seconds") if since else "", part.log)
        _console().print(table)
        if not found.running:
            print("Some parts do not run. Next: `uv run sandbox logs <part>`, or `make up` to heal.")
    raise typer.Exit(0 if found.running else 1)


@app.command()
def env() -> None:
    """Print what points pulumi, az, kubectl and curl at the sandbox: eval "$(uv run sandbox env)"."""
    current = session.load(Config())
    if current is None or not current.is_running():
        raise HostError("the sandbox is not running; start it with `make up`")
    print(environment.exports(current.variables, current.tools))


@app.command()
def logs(
    part: str, follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing.")] = False
) -> None:
    """Print the log of a part that `sandbox status` names."""
    config = Config()
    path = programs.log_path(config, programs.check_name(part))
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in config.logs.glob("*.log"))) or "none yet"
        raise HostError(f"there is no log of '{part}' in {config.logs}; logs there: {known}")
    os.execvp("tail", ["tail", "-n", "+1", *(["-F"] if follow else []), str(path)])  # noqa: S606


def _as_root() -> Config:
    """The configuration, once this process is root: not, and it starts over through sudo."""
    become_root("sandbox.cli", sys.argv[1:])
    return Config()


def _guarded(command: Callable[[], object]) -> int:
    """Run; a refusal is one message without a traceback."""
    try:
        command()
    except (HostError, ToolchainError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"sandbox: {error}. The sandbox belongs to another user; use sudo.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


def main() -> None:
    sys.exit(_guarded(app))


if __name__ == "__main__":
    main()
