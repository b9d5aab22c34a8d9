"""Reports say what was measured, and pass only what passed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drills.report import Check, Figure, Reports, markdown, write
from tests.drills.reports import failed, passed


def test_a_drill_passes_when_everything_holds() -> None:
    assert passed().passed
    assert passed().verdict == "cluster-loss: PASSED, RTO 90.2 s, RPO 0.0 s"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rto": Figure(measured=120.5, target=120)}, "RTO"),
        ({"rto": Figure(measured=None, target=120)}, "RTO"),
        ({"rpo": Figure(measured=0.5, target=0)}, "RPO"),
        ({"rpo": Figure(measured=None, target=None)}, "RPO"),
        ({"error": "pulumi up ended with code 1\n\nTraceback"}, "pulumi up ended with code 1"),
        ({"checks": []}, ""),
        ({"checks": [Check(name="history", looked_at="", problems=["a row is missing"])]}, "history"),
    ],
    ids=[
        "too slow",
        "never operational",
        "data lost",
        "no figure",
        "broke off",
        "not looked at",
        "a check fails",
    ],
)
def test_a_drill_fails_for_each_reason_by_itself(change: dict[str, Any], said: str) -> None:
    report = passed().model_copy(update=change)
    assert not report.passed
    assert report.verdict == f"cluster-loss: FAILED, {said}"


def test_a_check_that_could_not_be_made_says_why() -> None:
    checks = [*passed().checks, Check(name="conformance", looked_at="0", problems=[], left_out="no types")]
    report = passed().model_copy(update={"checks": checks})
    assert report.passed
    assert "| conformance | 0 | left out: no types |" in markdown([report])


def test_reports_are_written_for_people_and_for_programs(tmp_path: Path) -> None:
    write([passed(), failed()], tmp_path / "out")
    written = Reports.model_validate_json((tmp_path / "out" / "report.json").read_text())
    assert written.reports == [passed(), failed()]
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| cluster-loss | passed | 90.2 s | 120 s | 0.0 s | 0 s |" in text
    assert "| vault-deleted | **FAILED** | 90.2 s | 120 s | 0.0 s | 0 s |" in text
    assert "- content: sentinel 1 is missing" in text
    assert "| 10:01:10 | 70.0 | 80.0 s | pulumi up |" in text
    assert "https://learn.microsoft.com/azure/aks/ha-dr-overview" in text
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["report.json", "report.md"]


def test_what_is_measured_and_what_azure_says_are_never_in_one_table() -> None:
    tables = [part for part in markdown([passed()]).split("\n\n") if part.startswith("|")]
    assert any("90.2 s" in table for table in tables)
    assert not any("90.2 s" in table and "minutes" in table for table in tables)
