"""`sandbox fault …`: put faults in force, list and clear them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from sandbox import control
from sandbox.config import Config
from sandbox.faults.shapes import PLANES
from sandbox.faults.wording import described

app = typer.Typer(
    help="Have the local Azure refuse, fail or hang on demand. Patterns are those of file names (`*`).",
    no_args_is_help=True,
)

Status = Annotated[int | None, typer.Option(help="Refuse with this HTTP status.")]
Hang = Annotated[float, typer.Option(help="Answer only after so many seconds.")]
Cut = Annotated[bool, typer.Option("--cut", help="Break the connection off in the middle of the answer.")]
Method = Annotated[str, typer.Option(help="Only requests of this method.")]
Times = Annotated[int | None, typer.Option(help="How many requests it hits; without it, until cleared.")]
RetryAfter = Annotated[int, typer.Option(help="Seconds that a 429 or 503 asks to wait.")]
Code = Annotated[str | None, typer.Option(help="The error's code instead of the usual one.")]
Message = Annotated[str | None, typer.Option(help="The error's message instead of the usual one.")]
ResourceType = Annotated[
    str, typer.Option("--type", help="Only resources of this type, e.g. Microsoft.Sql/*.")
]


@app.command()
def arm(
    *,
    status: Status = None,
    operation_fails: Annotated[
        bool, typer.Option("--operation-fails", help="The asynchronous operation ends as Failed.")
    ] = False,
    hang: Hang = 0.0,
    cut: Cut = False,
    type_name: ResourceType = "*",
    name: Annotated[str, typer.Option(help="Only resources of this name.")] = "*",
    method: Method = "*",
    times: Times = None,
    retry_after: RetryAfter = 5,
    code: Code = None,
    message: Message = None,
) -> None:
    """Resource Manager fails for some resources."""
    _add(
        target="arm",
        status=status,
        operation_fails=operation_fails,
        hang=hang,
        cut=cut,
        type=type_name,
        name=name,
        method=method,
        times=times,
        retry_after=retry_after,
        code=code,
        message=message,
    )


def _plane(target: str) -> Callable[..., None]:
    def plane(
        *,
        status: Status = None,
        hang: Hang = 0.0,
        cut: Cut = False,
        host: Annotated[str, typer.Option(help="Only this host name, e.g. oai-agents-dev.*.")] = "*",
        path: Annotated[str, typer.Option(help="Only this path, e.g. */chat/completions.")] = "*",
        method: Method = "*",
        times: Times = None,
        retry_after: RetryAfter = 5,
        code: Code = None,
        message: Message = None,
    ) -> None:
        _add(
            target=target,
            status=status,
            hang=hang,
            cut=cut,
            host=host,
            path=path,
            method=method,
            times=times,
            retry_after=retry_after,
            code=code,
            message=message,
        )

    return plane


for _name in PLANES:
    app.command(_name, help=f"The data plane of {_name} fails.")(_plane(_name))


Service = Annotated[str, typer.Option(help="cosmos or sql.")]
Seconds = Annotated[float, typer.Option(help="0 ends it.")]


@app.command()
def replication(
    *,
    service: Service,
    seconds: Seconds,
    name: Annotated[str, typer.Option(help="Only this account, or servers of this name.")] = "*",
) -> None:
    """What is written in one region reaches the other so much later: a forced failover loses that much."""
    _delay("replication", service, name, seconds)


@app.command()
def backups(
    *,
    service: Service,
    seconds: Seconds,
    name: Annotated[str, typer.Option(help="Only this account, or servers of this name.")] = "*",
) -> None:
    """Backups hold what is older than so many seconds: nothing newer can be restored."""
    _delay("backups", service, name, seconds)


@app.command("list")
def list_faults(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say which faults are in force."""
    found = control.ask(Config(), "fault list")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for fault in found:
        print(described(fault))
    if not found:
        print("No fault is in force.")


@app.command()
def clear(
    number: Annotated[int | None, typer.Argument(help="One of `list`; all without it.")] = None,
) -> None:
    """End one fault, or all."""
    count = control.ask(Config(), "fault clear", **({} if number is None else {"number": number}))
    print(f"{count} cleared.")


def _add(**given: Any) -> None:
    wanted = {key: value for key, value in given.items() if value is not None}
    print(described(control.ask(Config(), "fault add", **wanted)))


def _delay(target: str, service: str, name: str, seconds: float) -> None:
    found = control.ask(Config(), "fault delay", target=target, service=service, name=name, seconds=seconds)
    ended = f"{service} has no delay of {target} for {name} any more."
    print(described(found) if found["seconds"] else ended)
