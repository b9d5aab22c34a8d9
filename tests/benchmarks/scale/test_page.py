"""docs/scale.md is what the code computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load.results import FILE
from benchmarks.scale.__main__ import PAGE, main
from benchmarks.scale.capacity import cpu_seconds
from benchmarks.scale.design import Design
from benchmarks.scale.measured import Measured, TooLittleError, read
from benchmarks.scale.page import page
from benchmarks.scale.prose import money, paragraph, quantity, rate, seconds, share
from benchmarks.scale.study import RATES, study
from tests.benchmarks.load.figures import EVENTS, figures, results, stage


def test_the_page_is_what_the_code_computes() -> None:
    assert main(["--check"]) == 0


def test_a_page_that_was_changed_by_hand_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "scale.md"
    changed.write_text(PAGE.read_text().replace("# How far it goes", "# How far it went"))
    assert main(["--check", "--page", str(changed)]) == 1
    said = capsys.readouterr().err
    assert "-# How far it went" in said
    assert "run `uv run python -m benchmarks.scale`" in said
    assert main(["--page", str(changed)]) == 0
    assert changed.read_text() == PAGE.read_text()


def test_without_figures_the_remedy_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--figures", str(tmp_path / "load.json")]) == 2
    assert "make bench" in capsys.readouterr().err
    assert FILE.exists()


def test_every_rate_has_a_column_and_no_line_is_endless(measured: Measured, built: Design) -> None:
    shown = page(study(measured, built))
    assert "| executions a second | " + " | ".join(f"{each:,.0f}" for each in RATES) + " |" in shown
    text = [line for line in shown.splitlines() if not line.startswith("|")]
    assert max(map(len, text)) <= 160
    assert "busy:" not in shown


def test_figures_without_enough_answers_are_refused() -> None:
    with pytest.raises(TooLittleError, match="50 answers"):
        read(results(stage("app", 50, 1, figures(100)), stage("app", 50, 16, figures(1))))


def test_processor_time_is_the_median_under_several_callers() -> None:
    found = read(
        results(
            stage("app", 0, 1, figures(100), cpu_ms=100),
            stage("app", 0, 16, figures(100), cpu_ms=4),
            stage("app", 50, 16, figures(100), cpu_ms=5, peak_mib=170),
            stage("app", 50, 64, figures(100), cpu_ms=6),
            stage("litellm", 50, 64, figures(100), cpu_ms=50, peak_mib=900),
        )
    )
    assert (found.cpu_ms, found.peak_mib, found.consume_ms) == (5, 170, 0)
    assert (found.prompt_tokens, found.completion_tokens, found.max_tokens) == (700, 200, 750)


def test_what_consuming_takes_is_counted_where_it_was_measured() -> None:
    measured = read(replace(results(stage("app", 50, 16, figures(100), cpu_ms=5)), events=EVENTS))
    assert measured.consume_ms == EVENTS.consume_cpu_ms
    assert cpu_seconds(measured) == 0.008


def test_numbers_are_short() -> None:
    assert [quantity(value, "B") for value in (715, 999_999, 1_234_000, 8.84e15)] == [
        "715 B",
        "1 MB",
        "1.23 MB",
        "8.84 PB",
    ]
    assert quantity(20) == "20"
    assert [money(value) for value in (0, 26.4, 983, 130_123_456)] == ["0", "26", "980", "130,000,000"]
    assert [share(value) for value in (0.5, 0.12345, 0)] == ["50 %", "12.3 %", "0 %"]
    assert [seconds(value) for value in (None, 0.0, 0.25, 12.34)] == ["never", "0 s", "250 ms", "12.3 s"]
    assert [rate(value) for value in (0.123, 9.96, 1234.5)] == ["0.12", "10", "1,234"]


def test_paragraphs_are_broken_between_words() -> None:
    lines = paragraph("word " * 60).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 118
