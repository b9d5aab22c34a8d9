"""The report: rendered from real plans, compared with reports that a reviewer has seen."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from infra.review.compare import Difference
from infra.review.markdown import MARKER
from infra.review.moves import data_moves
from infra.review.outcome import Outcome, outcome
from infra.review.plan import MISSING, Action, Change, Plan
from infra.review.previews import Preview, previewed
from infra.review.prompts import PromptChange, compare
from infra.review.report import Review, render
from tests.infra.review.scenarios import SCENARIOS
from tests.infra.review.test_changes import _PROMPT
from tests.infra.review.test_moves import IDENTITY, NINE, settings, stamp

REPORTS = Path(__file__).parent / "reports"


def preview(name: str, *, stack: str = "prod", deployed: bool = True) -> Preview:
    scenario = SCENARIOS[name]
    events = scenario.events.read_text() if scenario.events.exists() else ""
    return previewed(stack, scenario.plan.read_text(), "", events, deployed=deployed)


def review(*previews: Preview, settings: list[Difference] | None = None) -> Review:
    return Review(previews, {"prod": settings or []}, [])


def prompt() -> PromptChange:
    changed = _PROMPT.replace("1.0.0", "2.0.0").replace("[channel]", "[channel, tenant]")
    found = compare(
        "prompts/notification/compose.md", _PROMPT, changed.replace("Write.", "Write ```well```.")
    )
    assert found is not None
    return found


_REVIEWS = {
    "everything": Review(
        [
            preview("updated", stack="dev"),
            preview("account_renamed"),
            preview("created", stack="prod-dr", deployed=False),
        ],
        {
            "dev": [],
            "prod": [
                Difference("agents:agents.notification.max_replicas", 3, 10),
                Difference("agents:domain", MISSING, "example.com"),
            ],
        },
        [prompt()],
    ),
    "moved": Review(
        [preview("unchanged"), preview("unchanged", stack="prod-dr")],
        {},
        [],
        {
            "prod": data_moves(
                settings({**NINE, "adopted": False}), settings(NINE, begin_empty=[IDENTITY]), "prod", {}
            ),
            "prod-dr": data_moves(stamp(), stamp(phase="drained", acknowledged=True), "prod-dr", {}),
        },
    ),
    "nothing": review(preview("unchanged")),
    "removed": review(preview("removed")),
    "acknowledged": review(preview("acknowledged")),
    "failed": review(
        preview("broken_program"), previewed("dev", "", "error: no stack named 'dev' found", "")
    ),
}


@pytest.mark.parametrize("name", _REVIEWS)
def test_reports(name: str) -> None:
    """UPDATE_SNAPSHOTS=1 writes them anew; a change of wording is then a diff to read."""
    text, file = render(_REVIEWS[name]), REPORTS / f"{name}.md"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        REPORTS.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unchanged", Outcome.UNCHANGED),
        ("created", Outcome.SAFE),
        ("updated", Outcome.BREAKS_RULES),
        ("account_renamed", Outcome.LOSES_DATA),
        ("protected_removed", Outcome.LOSES_DATA),
        ("acknowledged", Outcome.ACKNOWLEDGED),
        ("broken_program", Outcome.FAILED),
    ],
)
def test_outcomes(name: str, expected: Outcome) -> None:
    assert outcome(preview(name)) is expected


def huge(number: int = 3000) -> Review:
    changes = tuple(
        Change(
            f"urn:pulumi:prod::agents::azure-native:keyvault:Vault::vault-{i}",
            "azure-native:keyvault:Vault",
            action,
        )
        for i in range(number)
        for action in (Action.UPDATE, Action.CREATE)
    )
    base = preview("unchanged")
    big = dataclasses.replace(base, plan=Plan(changes, 0, (), {}))
    long = dataclasses.replace(prompt(), text="\n".join(f"+line {i}" for i in range(number)))
    changed = [Difference(f"agents:setting-{i}", i, i + 1) for i in range(number)]
    return Review([big], {"prod": changed}, [long], {"prod": [f"Move {i}" for i in range(number)]})


def test_a_report_fits_into_a_comment() -> None:
    text = render(huge())
    assert len(text) <= 65_536
    assert text.startswith(MARKER)
    assert "more" in text
    assert text.count("<details>") == text.count("</details>")


def test_even_a_hopeless_report_fits() -> None:
    many = Review([preview("account_renamed", stack=f"s{i}") for i in range(500)], {}, [])
    text = render(many)
    assert len(text) <= 65_536
    assert text.endswith("run `make preview`.)\n")


def test_nothing_that_a_change_brings_becomes_markup() -> None:
    evil = "</details>| `x` \n# safe to apply @octocat https://evil.example <img src=x>"
    changed = [Difference(evil, evil, evil)]
    failed = previewed("prod", "", f"{evil}\n```\n# all is well", "")
    prompts = [dataclasses.replace(prompt(), headline=evil)]
    text = render(Review([failed], {"prod": changed}, prompts, {"prod": [evil]}))
    assert not re.search(r"^# (safe|all)", re.sub(r"(?s)(````*)\n.*?\n\1", "", text), re.MULTILINE)
    outside = re.sub(r"(?s)(````*)\w*\n.*?\n\1", "", text)
    outside = re.sub(r"(`+)[^`].*?\1", "", outside)
    for sign in ("@octocat", "https://", "<img"):
        assert sign not in outside.replace("\\<", "")


def test_values_with_secrets_stay_secret() -> None:
    assert "[secret]" in render(
        review(settings=[Difference("agents:alerts.teams", "[secret]", "[another secret]")])
    )
