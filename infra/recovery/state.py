"""`python -m infra.recovery.state save|list|fetch --stack prod`: copies of a stack's state, in its backup.

    uv run python -m infra.recovery.state save --stack prod
    uv run python -m infra.recovery.state list --stack prod
    uv run python -m infra.recovery.state fetch --stack prod --at 2026-11-28T09:59:30Z > state.json
    pulumi stack import --stack prod --file state.json

Secrets stay encrypted in it: to use a copy needs what decrypts the stack's secrets, its passphrase. Works
without the state: names are computed from the settings files. Needs the role that operators have from the
backup stack. Exit code 1: it could not be done, and why.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pulumi
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

from infra.cloud import read_cloud
from infra.naming import COPIED_STATE, Names
from infra.recovery.state_copies import StateCopies, StateError
from infra.settings.base import PROJECT, BaseError, values_of


def copies_of(stack: str, storage_suffix: str, project: Path = PROJECT) -> ContainerClient:
    """The container of the backup of the environment that `stack` is, or belongs to. Raises BaseError."""
    environment = str(values_of(stack, project).get("source", stack))
    # The suffix is the environment's: what belongs to it says only what differs.
    names = Names(f"{environment}-backup", values_of(environment, project).get("suffix", ""))
    return ContainerClient(
        f"https://{names.storage}.blob.{storage_suffix}",
        COPIED_STATE,
        # A cloud of one's own has no entry in Microsoft's list of clouds.
        credential=DefaultAzureCredential(disable_instance_discovery=_custom(os.environ)),
    )


def export(stack: str) -> bytes:
    """Raises StateError with what Pulumi says."""
    done = subprocess.run(["pulumi", "stack", "export", "--stack", stack], capture_output=True, check=False)
    if done.returncode:
        raise StateError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        copies = StateCopies(copies_of(options.stack, read_cloud().storage_suffix))
        if options.do == "save":
            copy, made = copies.save(options.stack, export(options.stack), datetime.now(UTC))
            sys.stdout.write(f"{'saved' if made else 'unchanged'}: {copy.blob}\n")
        elif options.do == "list":
            sys.stdout.writelines(f"{copy.blob}\n" for copy in copies.list(options.stack))
        else:
            sys.stdout.buffer.write(copies.fetch(options.stack, options.at))
    except (StateError, BaseError, pulumi.RunError) as error:
        sys.stderr.write(f"state: {error}\n")
        return 1
    except AzureError as error:
        sys.stderr.write(f"state: {str(error.message).splitlines()[0]}\n")
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.recovery.state", description="Copies of a state.")
    verbs = parser.add_subparsers(dest="do", required=True)
    for verb, what in (
        ("save", "copy the state, if it has changed"),
        ("list", "the copies, oldest first"),
        ("fetch", "write a copy to standard output, the newest one"),
    ):
        verb_parser = verbs.add_parser(verb, help=what)
        verb_parser.add_argument("--stack", required=True)
        if verb == "fetch":
            verb_parser.add_argument(
                "--at", type=_moment, help="the newest of then, e.g. 2026-11-28T09:59:30Z"
            )
    return parser.parse_args(arguments)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-28T09:59:30Z") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; end it with Z for UTC")
    return moment.astimezone(UTC)


def _custom(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("ARM_METADATA_HOSTNAME"))


if __name__ == "__main__":
    sys.exit(main())
