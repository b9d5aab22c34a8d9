"""`python -m infra.recovery --stack prod`: are the copies that agents use fit to be used?

Compares each adopted restore of the stack's settings with its original, through the Azure CLI's session, with
GET only. Exit codes: 0 they are; 1 one is not, with a table; 2 something could not be looked at.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.azure.cosmos import DATABASE
from infra.naming import restored_database
from infra.preflight.arm import Arm, AskError
from infra.preflight.az import AzureCli
from infra.preflight.stack import Stack, StackError, read
from infra.recovery import facts
from infra.recovery.conformance import Deviation, deviations, table
from infra.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
CONFORMS, DEVIATES, NOT_SEEN = 0, 1, 2


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The exit code; see the module's documentation. `root` holds the settings files."""
    options = _options(arguments)
    try:
        stack, az = read(root, options.stack), AzureCli(options.timeout)
        account = az.account(stack.subscription or os.environ.get("ARM_SUBSCRIPTION_ID"))
        found = list(judge(stack, f"/subscriptions/{account.subscription}", Arm(az.get)))
    except (StackError, SettingsError, AskError) as error:
        sys.stderr.write(f"recovery: could not look; {error}\n")
        return NOT_SEEN
    if found:
        sys.stdout.write("".join(f"{line}\n" for line in table(found)))
        return DEVIATES
    count = sum(len(one.services) for one in stack.settings.restores if one.adopted)
    sys.stdout.write(f"recovery: {count} adopted restores of {options.stack} are like their originals.\n")
    return CONFORMS


def judge(stack: Stack, subscription: str, arm: Arm) -> Iterator[Deviation]:
    """What is wrong with the adopted restores. Raises AskError."""
    names = stack.names
    group = f"{subscription}/resourceGroups/{names.resource_group}/providers"

    def asked(path: str, version: str) -> dict[str, Any] | None:
        return arm.find(path, version)

    for restore in stack.settings.restores:
        if restore.adopted and "cosmos" in restore.services:
            accounts, copy = (
                f"{group}/Microsoft.DocumentDB/databaseAccounts",
                names.restored_cosmos(restore.as_of),
            )
            known, restored = (
                facts.account(asked, f"{accounts}/{name}", DATABASE, names.republisher)
                for name in (names.cosmos, copy)
            )
            yield from deviations("account", copy, known, restored)
        if restore.adopted and "sql" in restore.services:
            databases = f"{group}/Microsoft.Sql/servers/{names.sql}/databases"
            copy = restored_database(DATABASE, restore.as_of)
            known, restored = (facts.database(asked, f"{databases}/{name}") for name in (DATABASE, copy))
            yield from deviations("database", copy, known, restored)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.recovery", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--stack", required=True, help="the stack, e.g. prod")
    parser.add_argument("--timeout", type=float, default=180, help="seconds after which it gives up (180)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
