"""The tables that people read."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.load.markdown import grid
from benchmarks.load.table import page
from tests.benchmarks.load.figures import CALM, figures, results, stage


def _lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_table_has_a_rule_below_its_heads() -> None:
    assert grid(("a", "b"), [["1", "2"]]) == "| a | b |\n| :--- | ---: |\n| 1 | 2 |"


def test_stages_ratios_and_goals_are_shown() -> None:
    shown = page(
        results(
            stage("stub", 0, 1, figures(1234.5, p50=1)),
            stage("app", 0, 1, figures(300, p50=3), cpu_ms=2.5, peak_mib=150),
            stage("router", 0, 1, figures(400, p50=2)),
            stage("litellm", 0, 1, figures(100, p50=9)),
        )
    )
    assert "| 0 ms | 1 | stub | 1,234 | 1.0 ms | 20.0 ms | 40.0 ms | 0 | 2.00 ms | 100 MiB |" in shown
    assert "| 0 ms | 1 | 2.0 ms | 1.0 ms | 8.0 ms | 0.25 | 0.12 | 3.00 | 4.00 |" in shown
    assert _lines(shown, "| an agent's memory") == [
        "| an agent's memory at its peak | below 200 MiB | 150 MiB | met |"
    ]
    assert _lines(shown, "| an agent's p95")[0].endswith("| – | not measured |")
    assert "busy" not in shown


def test_what_is_missing_is_a_dash() -> None:
    shown = page(results(stage("app", 0, 1, figures())))
    assert "| 0 ms | 1 | – | – | – | – | – | – | – |" in shown


def test_a_busy_machine_is_said_first() -> None:
    shown = page(results(stage("app", 0, 1, figures()), machine=replace(CALM, load=1.5)))
    assert "busy" in shown.split("\n\n", maxsplit=1)[0]
