"""`sandbox outage`: take a region of the local Azure down, bring it back, say which are down."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sandbox import control
from sandbox.config import Config

#: Seconds until everything in a region is down: clusters are cut off, databases' connections ended.
_PATIENCE = 120.0

Region = Annotated[str | None, typer.Argument(help="E.g. westeurope; without it, say which are down.")]
End = Annotated[bool, typer.Option("--end", help="Bring the region back.")]
Listed = Annotated[bool, typer.Option("--list", help="Say which regions are down.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def outage(
    region: Region = None, *, end: End = False, listed: Listed = False, as_json: AsJson = False
) -> None:
    """Take a region of the local Azure down with all that is there, until its --end."""
    if region is None and end:
        raise ValueError("say which region's outage is to end: sandbox outage <region> --end")
    if region is not None and listed:
        raise ValueError("--list is for all regions; say either a region or --list")
    if region is None:
        _list(as_json)
        return
    command = "outage end" if end else "outage begin"
    found = control.ask(Config(), command, patience=_PATIENCE, region=region)
    if as_json:
        print(json.dumps(found, indent=2))
    elif end:
        print(f"{found['region']}, down since {found['since']}, is up again; what is there comes back now.")
    else:
        print(f"{found['region']} is down. Next: sandbox outage {found['region']} --end brings it back.")


def _list(as_json: bool) -> None:
    found = control.ask(Config(), "outage list")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['region']} is down since {one['since']}")
    if not found:
        print("No region is down.")
