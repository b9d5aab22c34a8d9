"""`python -m infra.preflight --stack prod`: does the subscription have what the stack needs?

Asks Resource Manager through the Azure CLI's session, with GET only, and for a stamp lists copies and images.
Exit codes: 0 ready; 1 something is missing; 2 something could not be looked at.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi

from infra.cloud import read_cloud
from infra.preflight.arm import Arm, AskError
from infra.preflight.az import AzureCli
from infra.preflight.checks import checks_of
from infra.preflight.report import NOT_SEEN, Finding, code, lines, unknown
from infra.preflight.stack import StackError, read
from infra.preflight.subject import Check, Subject

ROOT = Path(__file__).resolve().parents[2]
#: Questions under way at once: each is a process of its own.
_AT_ONCE = 4


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The exit code; see the module's documentation. `root` holds the settings files."""
    options = _options(arguments)
    try:
        subject = _subject(root, options.stack, AzureCli(options.timeout))
    except (StackError, AskError, pulumi.RunError) as error:
        sys.stderr.write(f"preflight: could not look; {error}\n")
        return NOT_SEEN
    findings = look(subject)
    sys.stdout.write("".join(f"{line}\n" for line in lines(findings)))
    return code(findings)


def look(subject: Subject) -> list[Finding]:
    """What every check found, in the order of the report."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        checks = checks_of(subject.stack.settings.role)
        found = pool.map(lambda check: _checked(subject, *check), checks)
        return [finding for findings in found for finding in findings]


def _checked(subject: Subject, about: str, check: Check) -> Iterable[Finding]:
    try:
        return list(check(subject))
    except AskError as error:
        return [unknown(about, f"could not be looked at: {error}", _way(subject, error))]
    except (KeyError, TypeError, ValueError) as error:
        return [unknown(about, f"Azure's answer was not understood: {error!r}", "look at it by hand")]


def _way(subject: Subject, error: AskError) -> str:
    if error.status != 403:
        return "run it again"
    account = subject.account.user
    return f"az role assignment create --assignee {account} --role Reader --scope {subject.subscription}"


def _subject(root: Path, name: str, az: AzureCli) -> Subject:
    stack = read(root, name)
    subscription = stack.subscription or os.environ.get("ARM_SUBSCRIPTION_ID")
    return Subject(
        stack=stack,
        arm=Arm(az.get),
        account=az.account(subscription),
        data=az,
        acts_as=os.environ.get("ARM_CLIENT_ID"),
        domain=read_cloud().domain,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.preflight", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--stack", required=True, help="the stack, e.g. prod")
    parser.add_argument("--timeout", type=float, default=180, help="seconds after which it gives up (180)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
