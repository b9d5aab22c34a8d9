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

from sandbox import deploy as deployment
from sandbox.config import Config
from sandbox.faults import command as faults
from sandbox.faults.wording import described
from sandbox.host import azlogin, environment, lifecycle, programs, session
from sandbox.host import internet as outside
from sandbox.host import status as state
from sandbox.host.errors import HostError
from sandbox.outages import command as outages
from sandbox.toolchain import ToolchainError
from sandbox.toolchain.privileges import become_root

app = typer.Typer(
    help="A local Azure made of real parts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(faults.app, name="fault")
app.command()(outages.outage)


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
    config = Config()
    try:
        deployment.deploy(config, _console())
    finally:
        # Run with sudo, it would leave files that the user's own pulumi cannot write.
        if os.geteuid() == 0:
            azlogin.give_to_user(environment.pulumi_folder(config))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say what runs, since when, and what heals it; exit code 1 unless everything runs."""
    found = state.status(Config())
    if as_json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        since = f" since {_time(found.since)}" if found.since else ""
        print(f"The sandbox is {found.state}{since}.{f' Next: {found.heal}.' if found.heal else ''}")
        for part in found.parts:
            heal = f"; {part.heal}" if part.heal else ""
            print(f"  {part.name:<28} {part.state:<8} {_time(part.since):<20} {part.detail}{heal}")
        for line in _disturbances(found):
            print(line)
    raise typer.Exit(0 if found.state == "running" else 1)


def _disturbances(found: state.Status) -> list[str]:
    """A line for the regions that are lost, and one for the faults in force."""
    if found.outages is None or found.faults is None:
        return ["Lost regions and faults in force are not known: what serves Azure does not answer."]
    lines = []
    if found.outages:
        lost = ", ".join(f"{one['region']} since {one['since']}" for one in found.outages)
        lines.append(f"Regions lost: {lost}. `sandbox outage <region> --end` brings one back.")
    if found.faults:
        lines.append(
            f"Faults in force: {'; '.join(map(described, found.faults))}. `sandbox fault clear` ends them."
        )
    return lines


@app.command()
def env() -> None:
    """Print what points pulumi, az, kubectl and curl at the sandbox: eval "$(uv run sandbox env)"."""
    current = session.load(Config())
    if current is None or not current.is_running():
        raise HostError("the sandbox is not running; start it with `uv run sandbox up` (or `make up`)")
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


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def internet(command: Annotated[list[str], typer.Argument(metavar="-- COMMAND ...")]) -> None:
    """Run a command outside every virtual network: sandbox internet -- curl https://…"""
    config = _as_root()
    arguments = outside.command(config, command)
    os.execvp(arguments[0], arguments)  # noqa: S606


def _as_root() -> Config:
    """The configuration, once this process is root: not, and it starts over through sudo."""
    become_root("sandbox.cli", sys.argv[1:])
    # A user's PATH, which sudo was told to keep, often lacks the folders of the system's daemons and tools.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([*folders, "/usr/local/sbin", "/usr/sbin", "/sbin"]))
    return Config()


def _time(moment: float | None) -> str:
    if moment is None:
        return ""
    return dt.datetime.fromtimestamp(moment).astimezone().isoformat(" ", "seconds")[:19]


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
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


def main() -> None:
    sys.exit(_guarded(app))


if __name__ == "__main__":
    main()
