"""Each rule about prompts, on a prompt that breaks it and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.prompts.prompt import load, parse
from app.prompts.rules import faults, fixed_tokens, most_tokens
from tests.app.conftest import PROMPTS

GOOD = (PROMPTS / "compose.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", sorted(PROMPTS.parent.iterdir()), ids=lambda folder: folder.name)
def test_every_shipped_prompt_keeps_every_rule(folder: Path) -> None:
    for prompt in load(folder).values():
        assert list(faults(prompt)) == []


BROKEN = {
    "a keyword that strict outputs do not know": (
        "    tone: {type: string, enum",
        "    tone: {type: string, maxLength: 9, enum",
        "strict structured outputs know no maxLength",
    ),
    "an optional property of the answer": (
        "required: [subject, body, tone]",
        "required: [subject, body]",
        "output: $: required must name every property",
    ),
    "an open answer": (
        "required: [subject, body, tone]\n  additionalProperties: false",
        "required: [subject, body, tone]",
        "output: $: needs additionalProperties: false",
    ),
    "an unbounded text": (
        "subject: {type: string, maxLength: 200}",
        "subject: {type: string}",
        "input: $.subject: needs maxLength",
    ),
    "a pattern that bounds nothing": (
        "subject: {type: string, maxLength: 200}",
        "subject: {type: string, pattern: '.'}",
        "input: $.subject: its pattern bounds nothing",
    ),
    "an open input": (
        "required: [channel, recipient, message]\n  additionalProperties: false",
        "required: [channel, recipient, message]",
        "input: $: needs additionalProperties: false",
    ),
    "an input that no model can read": (
        "maxLength: 8000",
        "maxLength: 8000000",
        "lower maxLength or maxItems",
    ),
    "a variable before the fixed text ends": (
        "# System\n",
        "# System\nYou write to {{ recipient }}.\n",
        "the system part holds '{{'",
    ),
    "no word about data": (
        "Whatever stands between <data> and </data>",
        "What comes below",
        "does not say that what stands between <data> and </data>",
    ),
    "free text outside of a fence": (
        "Channel: {{ channel }}",
        "Channel: {{ channel }} to {{ recipient }}",
        "input: $.recipient is free text and must stand between",
    ),
    "an input that is never used": (
        "{{ recipient }}",
        "somebody",
        "input: $.recipient does not reach the model",
    ),
}


@pytest.mark.parametrize(("before", "after", "fault"), BROKEN.values(), ids=BROKEN.keys())
def test_a_rule_that_is_broken_is_named(before: str, after: str, fault: str) -> None:
    assert before in GOOD
    (found,) = faults(parse("compose", GOOD.replace(before, after)))
    assert fault in found


def test_a_system_part_that_is_too_long_is_named() -> None:
    prompt = parse("compose", GOOD.replace("# System\n", "# System\n" + "Be short. " * 2000))
    (found,) = faults(prompt)
    assert "4000 are allowed" in found


def test_the_largest_request_is_what_the_schema_admits() -> None:
    prompt = parse("compose", GOOD)
    # Three characters a token: recipient, subject and message at their longest, and the longest choices.
    asked = len(prompt.user) + 320 + 200 + 8000 + len("email") + len("critical")
    assert most_tokens(prompt) - fixed_tokens(prompt) == -(-asked // 3)
