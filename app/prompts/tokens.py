"""Tokens of a text, estimated without a model's vocabulary."""

from __future__ import annotations

# OpenAI says about four characters a token in English; code and other Latin scripts have fewer.
# https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them
_CHARACTERS = 3


def estimate(characters: int) -> int:
    """How many tokens so many characters are, rather too many than too few."""
    return -(-characters // _CHARACTERS)
