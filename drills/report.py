"""What a drill found: for programs (JSON), and for people (Markdown)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from drills.timeline import Step


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Bound(_Part):
    """What Azure's documentation says of a service: not measured here, and not comparable."""

    service: str
    mechanism: str
    rpo: str
    rto: str
    source: str


class Figure(_Part):
    """Seconds, measured in the sandbox. `target` None: there is none."""

    measured: float | None
    target: float | None

    @property
    def met(self) -> bool:
        if self.measured is None:
            return False
        return self.target is None or self.measured <= self.target


class Check(_Part):
    """`problems` are empty if it holds; `looked_at` is what it covered, `left_out` why it was not made."""

    name: str
    looked_at: str
    problems: list[str]
    left_out: str | None = None

    @property
    def said(self) -> str:
        if self.problems:
            return "**fails**"
        return f"left out: {self.left_out}" if self.left_out else "holds"


class Report(_Part):
    """`error`: why the drill broke off, before all checks were made."""

    drill: str
    broken: str
    restored_by: str
    sabotage: list[str] = []
    began: AwareDatetime
    ended: AwareDatetime
    failed_at: AwareDatetime | None = None
    operational_at: AwareDatetime | None = None
    rto: Figure
    rpo: Figure
    sentinels: dict[str, int] = {}
    checks: list[Check] = []
    error: str | None = None
    azure: list[Bound]
    timeline: list[Step]

    @property
    def passed(self) -> bool:
        whole = self.error is None and bool(self.checks)
        return whole and self.rto.met and self.rpo.met and not any(one.problems for one in self.checks)

    @property
    def verdict(self) -> str:
        """One line."""
        if self.passed:
            return f"{self.drill}: PASSED, RTO {_seconds(self.rto)}, RPO {_seconds(self.rpo)}"
        wrong = [one.name for one in self.checks if one.problems]
        wrong += [name for name, figure in (("RTO", self.rto), ("RPO", self.rpo)) if not figure.met]
        why = (self.error or "").strip().split("\n", 1)[0]
        return f"{self.drill}: FAILED, {'; '.join(filter(None, [why, ', '.join(wrong)]))}"


class Reports(_Part):
    """Of one run, in the order of the drills."""

    reports: list[Report]


def write(reports: Sequence[Report], folder: Path) -> None:
    """`report.json` and `report.md`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    document = Reports(reports=list(reports)).model_dump_json(indent=2) + "\n"
    for name, text in (("report.json", document), ("report.md", markdown(reports))):
        draft = folder / f".{name}.tmp"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / name)


def markdown(reports: Sequence[Report]) -> str:
    """The table first, then a section for each drill."""
    lines = [
        "# Drills",
        "",
        "RTO and RPO are measured in the sandbox, with targets for it; what Azure documents is below each.",
        "",
        "| drill | verdict | RTO | target | RPO | target |",
        "|---|---|---|---|---|---|",
    ]
    for one in reports:
        figures = [_seconds(one.rto), _target(one.rto), _seconds(one.rpo), _target(one.rpo)]
        lines.append(f"| {one.drill} | {'passed' if one.passed else '**FAILED**'} | {' | '.join(figures)} |")
    for one in reports:
        lines += ["", *_section(one)]
    return "\n".join(lines) + "\n"


def _section(report: Report) -> list[str]:
    lines = [f"## {report.drill}", "", f"{report.broken} Restored by {report.restored_by}.", ""]
    if report.sabotage:
        lines += [f"Sabotaged on purpose: {', '.join(report.sabotage)}. It must fail.", ""]
    if report.error:
        lines += ["Broke off:", "", *(f"    {line}" for line in report.error.strip().splitlines()), ""]
    if report.sentinels:
        counted = ", ".join(f"{count} {name}" for name, count in report.sentinels.items())
        lines += [f"Sentinels: {counted}.", ""]
    if report.checks:
        lines += ["| check | looked at | |", "|---|---|---|"]
        lines += [f"| {one.name} | {one.looked_at} | {one.said} |" for one in report.checks]
        lines.append("")
    for one in report.checks:
        lines += [f"- {one.name}: {problem}" for problem in one.problems[:20]]
    if any(one.problems for one in report.checks):
        lines.append("")
    lines += ["| at (UTC) | + s | took | |", "|---|---|---|---|", *map(_row, report.timeline), ""]
    lines += ["On Azure, by its documentation:", "", "| service | by | RPO | RTO |", "|---|---|---|---|"]
    return lines + [
        f"| {one.service} | [{one.mechanism}]({one.source}) | {one.rpo} | {one.rto} |" for one in report.azure
    ]


def _row(step: Step) -> str:
    took = "" if step.seconds is None else f"{step.seconds:.1f} s"
    return f"| {step.at:%H:%M:%S} | {step.offset:.1f} | {took} | {step.what} |"


def _seconds(figure: Figure) -> str:
    return "not measured" if figure.measured is None else f"{figure.measured:.1f} s"


def _target(figure: Figure) -> str:
    return "" if figure.target is None else f"{figure.target:.0f} s"
