"""What the checks found: one line each, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

READY, MISSING, NOT_SEEN = 0, 1, 2


class State(StrEnum):
    """`CHECK`: Azure cannot be asked, so the reader has to look; it holds nobody up."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    CHECK = "check"


@dataclass(frozen=True)
class Finding:
    """`about`: what was looked at. `mend`: a command or, where there is none, what to do."""

    state: State
    about: str
    found: str
    mend: str = ""


def ok(about: str, found: str) -> Finding:
    return Finding(State.OK, about, found)


def missing(about: str, found: str, mend: str) -> Finding:
    return Finding(State.MISSING, about, found, mend)


def unknown(about: str, found: str, mend: str) -> Finding:
    return Finding(State.UNKNOWN, about, found, mend)


def check(about: str, found: str, mend: str) -> Finding:
    return Finding(State.CHECK, about, found, mend)


def code(findings: Iterable[Finding]) -> int:
    """The exit code: what is missing weighs more than what could not be seen."""
    states = {finding.state for finding in findings}
    if State.MISSING in states:
        return MISSING
    return NOT_SEEN if State.UNKNOWN in states else READY


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The report for a terminal, its verdict last."""
    width = max((len(finding.about) for finding in findings), default=0)
    for finding in findings:
        yield f"{finding.state:<8} {finding.about:<{width}}  {finding.found}"
        if finding.mend:
            yield f"{'':<8} {'':<{width}}  -> {finding.mend}"
    count = {state: sum(finding.state is state for finding in findings) for state in State}
    match code(findings):
        case 0:
            yield "preflight: ready."
        case 1:
            yield f"preflight: not ready; {count[State.MISSING]} missing. Mend and run it again."
        case _:
            yield f"preflight: no verdict; {count[State.UNKNOWN]} could not be looked at."
