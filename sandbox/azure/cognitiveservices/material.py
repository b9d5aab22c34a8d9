"""What the built-in responder makes its answers of: the words and the data of the user's last message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.cognitiveservices.tokens import content_text

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_JSON_BLOCK = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True)
class Material:
    text: str
    sentences: tuple[str, ...]
    #: Fields of a JSON object in the message, at any depth, by lower-case name.
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        return shorten(self.sentences[0], 80)

    def numbers(self) -> Iterator[float]:
        return (float(number) for number in _NUMBER.findall(self.text))


def read(messages: Sequence[Mapping[str, Any]]) -> Material:
    """From the last message that a user (or a tool) wrote."""
    said = [
        content_text(m) for m in messages if m.get("role") in {"user", "tool"} and content_text(m).strip()
    ]
    text = said[-1].strip() if said else "Nothing was asked."
    found = _fields(text)
    told = list(_strings(found)) or [text]
    sentences = tuple(s.strip() for one in told for s in _SENTENCE.split(one) if s.strip())
    flat = {name.lower(): value for name, value in _named(found)}
    return Material(" ".join(sentences) or text, sentences or (text,), flat)


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut between words where that can be."""
    if len(text) <= length:
        return text
    if length < 8:
        return text[:length]
    return (text[: length - 1].rsplit(" ", 1)[0] or text[: length - 1]).rstrip(" ,;:") + "…"


def _fields(text: str) -> Any:
    match = _JSON_BLOCK.search(text)
    if match is None:
        return None
    try:
        return json.loads(match[0])
    except ValueError:
        return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, one
            yield from _named(one)
    elif isinstance(value, list):
        for one in value:
            yield from _named(one)
