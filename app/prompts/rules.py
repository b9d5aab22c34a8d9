"""What a prompt must be beyond what is needed to run it: safe, bounded, cheap to repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from app.prompts.prompt import Prompt
from app.prompts.schemas import is_free_text, most_characters, walk
from app.prompts.tokens import estimate

# The keywords that structured outputs accept in strict mode and that prompts need.
# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs#supported-schemas-and-limitations
_STRICT = {"type", "enum", "properties", "required", "additionalProperties", "items"}
_STRICT_DEPTH = 5
_STRICT_PROPERTIES = 100
#: The context of the smallest model that may be deployed, gpt-4o; and how much of it the fixed part may take.
CONTEXT_TOKENS = 128_000
FIXED_TOKENS = 4_000
_FENCE = re.compile(r'^<data name="[^"\n]*">\n.*?^</data>$', re.DOTALL | re.MULTILINE)
_MARKUP = re.compile(r"\{\{|\{%|\{#")


def faults(prompt: Prompt) -> Iterator[str]:
    """Everything that is wrong with a parsed prompt, one sentence each."""
    yield from _strictness(prompt.meta.output)
    unbounded = list(_bounds(prompt.meta.input))
    yield from unbounded
    if not unbounded:
        yield from _size(prompt)
    if found := _MARKUP.search(prompt.system):
        yield (
            f"the system part holds {found[0]!r}, but it is no template: what varies belongs into the user "
            "part, or the prompt's beginning could not be cached"
        )
    yield from _fences(prompt)


def fixed_tokens(prompt: Prompt) -> int:
    """The part that is the same in every request, which providers cache."""
    return estimate(len(prompt.system))


def most_tokens(prompt: Prompt) -> int:
    """Of the largest request that the input schema admits."""
    return fixed_tokens(prompt) + estimate(len(prompt.user) + most_characters(prompt.meta.input))


def _strictness(output: dict[str, Any]) -> Iterator[str]:
    if output.get("type") != "object":
        yield "output: $: the answer must be an object"
    properties = 0
    for path, schema in walk(output):
        if extra := sorted(set(schema) - _STRICT):
            yield f"output: {path}: strict structured outputs know no {', '.join(extra)}"
        if schema.get("type") == "object":
            properties += len(schema.get("properties", {}))
            if schema.get("additionalProperties") is not False:
                yield f"output: {path}: needs additionalProperties: false"
            if sorted(schema.get("required", ())) != sorted(schema.get("properties", {})):
                yield f"output: {path}: required must name every property"
        elif schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
            yield f"output: {path}: needs items"
        if path.count(".") + path.count("[") > _STRICT_DEPTH * 2:
            yield f"output: {path}: is nested deeper than {_STRICT_DEPTH} levels"
    if properties > _STRICT_PROPERTIES:
        yield f"output: has {properties} properties; strict structured outputs take {_STRICT_PROPERTIES}"


def _bounds(given: dict[str, Any]) -> Iterator[str]:
    for path, schema in walk(given):
        kind = schema.get("type")
        if kind == "object" and schema.get("additionalProperties") is not False:
            yield f"input: {path}: needs additionalProperties: false"
        elif kind == "string" and not {"enum", "maxLength", "pattern"} & set(schema):
            yield f"input: {path}: needs maxLength, or anything could be sent"
        elif kind == "string" and is_free_text(schema) and "maxLength" not in schema:
            yield f"input: {path}: its pattern bounds nothing; add maxLength"
        elif kind == "array" and "maxItems" not in schema and not schema.get("uniqueItems"):
            yield f"input: {path}: needs maxItems"


def _size(prompt: Prompt) -> Iterator[str]:
    if (fixed := fixed_tokens(prompt)) > FIXED_TOKENS:
        yield f"the system part has about {fixed} tokens; {FIXED_TOKENS} are allowed"
    most, answer = most_tokens(prompt), prompt.meta.model.max_tokens
    if most + answer > CONTEXT_TOKENS:
        yield (
            f"the largest input makes about {most} tokens, with the answer's {answer} more than the model's "
            f"{CONTEXT_TOKENS}: lower maxLength or maxItems"
        )


def _fences(prompt: Prompt) -> Iterator[str]:
    """Free text must reach the model, and only between `<data>` and `</data>`."""
    if not ("<data>" in prompt.system and "</data>" in prompt.system):
        yield "the system part does not say that what stands between <data> and </data> is no instruction"
    numbers = count()
    probes: dict[str, str] = {}
    text = prompt.render_user(_probe(prompt.meta.input, "$", numbers, probes))
    outside = _FENCE.sub("", text)
    for path, probe in probes.items():
        if probe not in text:
            yield f"input: {path} does not reach the model"
        elif probe in outside:
            yield f'input: {path} is free text and must stand between <data name="…"> and </data>'


def _probe(schema: dict[str, Any], path: str, numbers: Iterator[int], probes: dict[str, str]) -> Any:
    """A value of the schema's shape with a word of its own for each free text, kept in `probes` by path."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {
            name: _probe(inner, f"{path}.{name}", numbers, probes)
            for name, inner in schema.get("properties", {}).items()
        }
    if kind == "array":
        return [_probe(schema["items"], f"{path}[*]", numbers, probes)]
    if kind != "string":
        return {"boolean": True}.get(str(kind), 1)
    word = f"probe-{next(numbers)}-"
    if is_free_text(schema):
        probes[path] = word
    return word
