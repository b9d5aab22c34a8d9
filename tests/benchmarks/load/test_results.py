"""The arithmetic of comparisons, and that figures survive being written down."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load.goals import Goal, goals
from benchmarks.load.results import Results, levels, load, ratio
from tests.benchmarks.load.figures import EVENTS, figures, results, stage


def _usual() -> Results:
    return results(
        stage("stub", 0, 1, figures(1000, p50=1)),
        stage("app", 0, 1, figures(300, p50=3), peak_mib=150),
        stage("router", 0, 1, figures(300, p50=3)),
        stage("litellm", 0, 1, figures(100, p50=9)),
        stage("stub", 50, 100, figures(1900, p50=51)),
        stage("app", 50, 100, figures(400, p50=240, p95=300), peak_mib=160),
        stage("router", 50, 100, figures(400, p50=240)),
        stage("litellm", 50, 100, figures(125, p50=800)),
        answered=70,
        stored=75,
    )


def _goal(found: Results, start: str) -> Goal:
    return next(goal for goal in goals(found) if goal.text.startswith(start))


def test_what_a_target_adds_is_beyond_the_stub() -> None:
    found = _usual()
    assert found.added_ms("app", 0, 1) == 2
    assert found.added_ms("litellm", 0, 1) == 8
    assert found.added_ms("app", 0, 16) is None


def test_a_stage_without_answers_adds_nothing_that_can_be_compared() -> None:
    found = results(stage("stub", 0, 1, figures(0, p50=0)), stage("app", 0, 1, figures(10)))
    assert found.added_ms("app", 0, 1) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(1, 4, 0.25), (None, 4, None), (1, None, None), (1, 0, None), (1, -1, None)],
)
def test_ratios_of_nothing_are_nothing(
    one: float | None, other: float | None, expected: float | None
) -> None:
    assert ratio(one, other) == expected


def test_levels_are_each_there_once() -> None:
    assert levels(_usual().stages) == [(0, 1), (50, 100)]


def test_goals_that_are_met() -> None:
    found = _usual()
    assert [goal.met for goal in goals(replace(found, events=EVENTS))] == [True] * 7
    assert _goal(found, "the router's added").found == 0.25
    assert _goal(found, "the router's most").found == 3.0
    assert _goal(found, "an agent's memory").found == 160


@pytest.mark.parametrize(
    ("start", "changed"),
    [
        ("an agent's p95", stage("app", 50, 100, figures(400, p95=500))),
        ("an agent's p95", stage("app", 50, 100, figures(0, p95=0))),
        ("the router's added", stage("router", 0, 1, figures(300, p50=4))),
        ("the router's most", stage("router", 0, 1, figures(299, p50=3))),
        ("an agent's memory", stage("app", 0, 1, figures(300, p50=3), peak_mib=200)),
        ("failed", stage("app", 0, 1, figures(300, p50=3, errors=1))),
    ],
)
def test_goals_that_are_missed(start: str, changed: object) -> None:
    usual = _usual()
    stages = tuple(
        changed
        if (one.target, one.latency_ms) == (changed.target, changed.latency_ms)  # type: ignore[attr-defined]
        else one
        for one in usual.stages
    )
    found = replace(usual, stages=stages)  # type: ignore[arg-type]
    assert _goal(found, start).met is False


def test_an_answer_that_was_not_stored_is_a_miss() -> None:
    assert _goal(replace(_usual(), stored=69), "answered").met is False


@pytest.mark.parametrize("wrong", [{"lost": 1}, {"again": 1}])
def test_an_event_lost_or_handled_again_is_a_miss(wrong: dict[str, int]) -> None:
    assert _goal(replace(_usual(), events=replace(EVENTS, **wrong)), "events").met is False


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    only = results(stage("app", 0, 1, figures()))
    assert _goal(only, "an agent's p95").met is None
    assert _goal(only, "the router's added").met is None
    assert _goal(only, "events").met is None
    assert Goal("", 1, math.inf, "").met is False


def test_figures_survive_the_file(tmp_path: Path) -> None:
    found, file = replace(_usual(), events=EVENTS), tmp_path / "deep" / "load.json"
    found.save(file)
    assert load(file) == found
