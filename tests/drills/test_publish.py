"""What is known of drills is added to, never forgotten by accident."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.telemetry.drills import DrillResult, DrillResults
from drills.publish import main, merged, publish, result
from drills.report import write
from drills.shell import CommandError, Shell
from tests.drills.reports import failed, passed


@dataclass(frozen=True)
class Cluster(Shell):
    """One ConfigMap, as kubectl has it."""

    env: Mapping[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    def kubectl(self, *arguments: str, timeout: float = 0, stdin: str | None = None) -> str:
        if arguments[0] == "get":
            return json.dumps(self.kept["map"]) if "map" in self.kept else ""
        self.kept["map"] = json.loads(stdin or "")
        return ""

    def results(self) -> DrillResults:
        assert self.kept["map"]["metadata"] == {"name": "drill-results", "namespace": "agents-dev"}
        return DrillResults.model_validate_json(self.kept["map"]["data"]["results.json"])


def test_a_success_has_figures_and_a_failure_none() -> None:
    ended = passed().ended.timestamp()
    assert result(passed()) == DrillResult(
        last_run=ended, last_success=ended, rto_seconds=90.25, rpo_seconds=0
    )
    assert result(failed()) == DrillResult(last_run=ended)


def test_a_failure_leaves_the_last_success_as_it_was() -> None:
    before = DrillResults(
        drills={"a": DrillResult(last_run=10, last_success=10, rto_seconds=5, rpo_seconds=0)}
    )
    after = DrillResults(drills={"a": DrillResult(last_run=20)})
    wanted = DrillResult(last_run=20, last_success=10, rto_seconds=5, rpo_seconds=0)
    assert merged([before, after]).drills == merged([after, before]).drills == {"a": wanted}


def test_figures_outlive_a_cluster_and_come_from_another_machine(tmp_path: Path) -> None:
    first, second = Cluster(), Cluster()
    publish(first, "agents-dev", [passed()], tmp_path / "mine")
    publish(first, "agents-dev", [failed()], tmp_path / "another's")
    assert set(first.results().drills) == {"cluster-loss", "vault-deleted"}
    publish(second, "agents-dev", [failed()], tmp_path / "mine")
    assert second.results() == first.results()


def test_what_is_not_ours_is_not_written_over(tmp_path: Path) -> None:
    cluster = Cluster(kept={"map": {"data": {"results.json": "{"}}})
    with pytest.raises(CommandError, match="delete it to begin anew"):
        publish(cluster, "agents-dev", [passed()], tmp_path)
    assert cluster.kept["map"]["data"]["results.json"] == "{"


def test_a_report_from_elsewhere_is_brought_to_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sabotaged = passed().model_copy(update={"drill": "point-in-time", "sabotage": ["public"]})
    write([passed(), failed(), sabotaged], tmp_path)
    cluster = Cluster()
    assert main([str(tmp_path / "report.json"), "--stack", "dev"], cluster) == 0
    assert set(cluster.results().drills) == {"cluster-loss", "vault-deleted"}
    assert capsys.readouterr().out == "publish: dev knows of cluster-loss, vault-deleted\n"


def test_it_is_brought_to_the_namespace_of_the_stack(tmp_path: Path) -> None:
    write([passed()], tmp_path)
    cluster = Cluster()
    assert main([str(tmp_path / "report.json"), "--stack", "prod"], cluster) == 0
    assert cluster.kept["map"]["metadata"]["namespace"] == "agents-prod"


@pytest.mark.parametrize("text", [None, "{", '{"drills": {}}'], ids=["none", "cut off", "another file"])
def test_what_is_no_report_is_refused(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    cluster = Cluster()
    assert main([str(file), "--stack", "dev"], cluster) == 2
    assert "is no report of drills" in capsys.readouterr().err
    assert cluster.kept == {}


def test_a_cluster_that_does_not_take_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write([passed()], tmp_path)
    cluster = Cluster(kept={"map": {"data": {"results.json": "{"}}})
    assert main([str(tmp_path / "report.json"), "--stack", "dev"], cluster) == 1
    assert "holds no figures" in capsys.readouterr().err
