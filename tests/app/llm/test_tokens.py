from __future__ import annotations

from app.llm import tokens
from tests.app.llm.models import MESSAGES, PROMPT


def test_an_estimate_is_rather_too_high() -> None:
    # 9 tokens in cl100k_base and in o200k_base.
    assert 9 <= tokens.of_text("The quick brown fox jumps over the lazy dog") <= 18
    # One token each, at worst two.
    assert tokens.of_text("日本語") >= 3


def test_the_schema_is_part_of_the_prompt() -> None:
    assert tokens.estimate(MESSAGES, PROMPT.meta.output) > tokens.estimate(MESSAGES, {}) > 0
