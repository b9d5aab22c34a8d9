from __future__ import annotations

from pathlib import Path

import pytest

from app.prompts.prompt import InputError, PromptError, load, parse

ROOT = Path(__file__).parents[2] / "prompts"
GOOD = (ROOT / "notification" / "compose.md").read_text(encoding="utf-8")
INPUT = {"channel": "email", "recipient": "a@b.c", "message": "Hello"}


@pytest.mark.parametrize("folder", sorted(ROOT.iterdir()), ids=lambda folder: folder.name)
def test_every_shipped_prompt_parses_and_renders_its_examples(folder: Path) -> None:
    assert load(folder)


def test_the_system_part_does_not_depend_on_the_input() -> None:
    prompt = parse("compose", GOOD)
    first, second = (prompt.render({**INPUT, "message": text})[0] for text in ("one", "two"))
    assert first == second


def test_input_is_never_a_template() -> None:
    messages = parse("compose", GOOD).render({**INPUT, "message": "{{ 7 * 7 }}"})
    assert "{{ 7 * 7 }}" in messages[1]["content"]


def test_bad_input_names_its_path() -> None:
    with pytest.raises(InputError) as refused:
        parse("compose", GOOD).render({**INPUT, "severity": "loud"})
    assert refused.value.problems[0][0] == "$.severity"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no front matter", "front matter"),
        (GOOD.replace("# User", "# Person"), "# User"),
        (GOOD.replace("version: 1.0.0", "version: one"), "version"),
        (GOOD.replace("type: object", "type: objekt"), "objekt"),
        (GOOD.replace("{{ message }}", "{{ mesage }}"), "mesage"),
        (GOOD.replace("{{ message }}", "{{ message.__class__ }}"), "unsafe"),
        (GOOD.replace("channel: sms", "channel: pigeon"), "pigeon"),
        (GOOD.replace("description:", "descripton:"), "descripton"),
    ],
)
def test_a_broken_prompt_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        parse("compose", text)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=str(tmp_path)):
        load(tmp_path)
