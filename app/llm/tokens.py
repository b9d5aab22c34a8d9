"""How many tokens a text is, about.

The models' own tokenizers need vocabularies that are downloaded. English is four characters a token, JSON
and other languages fewer; three bytes a token is rather too much than too little, which is what a
reservation wants. What was really used is settled with the provider's count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

_BYTES_PER_TOKEN = 3
# Role and separators around each message.
# https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
_PER_MESSAGE = 4


def of_text(text: str) -> int:
    return math.ceil(len(text.encode()) / _BYTES_PER_TOKEN)


def estimate(messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> int:
    """Tokens of a prompt: its messages, and the schema that travels with them."""
    text = sum(of_text(message["content"]) + _PER_MESSAGE for message in messages)
    return text + of_text(json.dumps(schema, separators=(",", ":")))
