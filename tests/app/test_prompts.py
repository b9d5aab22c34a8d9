from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


# What structured outputs accept in strict mode.
# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs#supported-schemas-and-limitations
STRICT = {"type", "enum", "properties", "required", "additionalProperties", "items"}


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from _objects(part)


@pytest.mark.parametrize("folder", sorted(ROOT.iterdir()), ids=lambda folder: folder.name)
def test_every_output_can_be_enforced_by_the_model(folder: Path) -> None:
    (prompt,) = load(folder).values()
    for schema in _objects(prompt.meta.output):
        assert set(schema) <= STRICT, schema
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("folder", sorted(ROOT.iterdir()), ids=lambda folder: folder.name)
def test_every_input_is_closed_and_bounded(folder: Path) -> None:
    (prompt,) = load(folder).values()
    for schema in _objects(prompt.meta.input):
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False
        elif schema["type"] == "string" and "enum" not in schema:
            assert "maxLength" in schema or "pattern" in schema, schema
        elif schema["type"] == "array":
            assert "maxItems" in schema or schema.get("uniqueItems"), schema


@pytest.mark.parametrize("folder", sorted(ROOT.iterdir()), ids=lambda folder: folder.name)
def test_all_of_an_example_reaches_the_model(folder: Path) -> None:
    (prompt,) = load(folder).values()
    for example in prompt.meta.examples:
        text = prompt.render(example)[1]["content"]
        for value in _leaves(example):
            assert str(value).strip() in text, value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    elif not isinstance(value, bool):
        yield value
