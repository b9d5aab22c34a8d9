"""Token counts without a vocabulary: an estimate, the same for every model.

A token is up to six letters or digits with the space before them, or one other character. English prose
comes out within about a tenth of cl100k's counts. Chat messages cost three tokens each and three for the
answer's start, as OpenAI documents for its own models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s?\w{1,6}|\s?[^\w\s]|\s", re.UNICODE)
_PER_MESSAGE = 3
_ANSWER_START = 3


def split(text: str) -> list[str]:
    """The tokens of a text; joined they are the text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    return len(split(text))


def count_messages(messages: Iterable[Mapping[str, Any]], *extras: Any) -> int:
    """The prompt's tokens: messages and what is sent beside them (tools, a schema)."""
    total = _ANSWER_START
    for message in messages:
        total += _PER_MESSAGE + count(str(message.get("role", ""))) + count(content_text(message))
        if message.get("tool_calls"):
            total += count(json.dumps(message["tool_calls"]))
    return total + sum(count(json.dumps(extra)) for extra in extras if extra)


def content_text(message: Mapping[str, Any]) -> str:
    """A message's text, whether it is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
    return ""
