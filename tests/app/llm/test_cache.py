from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from app.llm.cache import Cache
from app.llm.chat import Chat, Completion
from app.settings import CacheSettings
from tests.app.llm.models import MESSAGES, PROMPT

CHAT = Chat.of(PROMPT, MESSAGES)
COMPLETION = Completion({"word": "yes"}, "test", "model", 10, 5)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _cache(clock: Clock, **values: Any) -> Cache:
    return Cache(CacheSettings.model_validate({"Seconds": 60, **values}), "tester", clock)


def test_the_same_question_is_answered_once_more_at_no_cost() -> None:
    cache = _cache(Clock())
    assert cache.find(CHAT) is None
    cache.keep(CHAT, COMPLETION)
    assert cache.find(Chat.of(PROMPT, [dict(message) for message in MESSAGES])) == dataclasses.replace(
        COMPLETION, prompt_tokens=0, completion_tokens=0
    )


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [*MESSAGES, {"role": "user", "content": "!"}]},
        {"schema": {**CHAT.schema, "title": "word"}},
        {"temperature": 0.3},
        {"max_tokens": 51},
    ],
)
def test_another_question_is_another(other: dict[str, Any]) -> None:
    cache = _cache(Clock())
    cache.keep(CHAT, COMPLETION)
    assert cache.find(dataclasses.replace(CHAT, **other)) is None


def test_an_answer_grows_old() -> None:
    clock = Clock()
    cache = _cache(clock)
    cache.keep(CHAT, COMPLETION)
    clock.now = 59.9
    assert cache.find(CHAT) is not None
    clock.now = 60
    assert cache.find(CHAT) is None


def test_it_keeps_no_more_than_it_may() -> None:
    cache = _cache(Clock(), Entries=2)
    chats = [dataclasses.replace(CHAT, max_tokens=number) for number in (1, 2, 3)]
    for chat in chats:
        cache.keep(chat, COMPLETION)
    assert [cache.find(chat) is not None for chat in chats] == [False, True, True]


def test_it_is_off_unless_it_is_given_time() -> None:
    cache = Cache(CacheSettings(), "tester", Clock())
    cache.keep(CHAT, COMPLETION)
    assert cache.find(CHAT) is None
