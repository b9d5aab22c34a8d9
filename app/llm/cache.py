"""Answers to questions that were asked before, word for word, within a time."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from cachetools import TTLCache

from app.llm import telemetry
from app.llm.breaker import Clock
from app.llm.chat import Chat, Completion
from app.settings import CacheSettings


class Cache:
    """In this process only, the least recently used dropped first. Off while its time is 0.

    An answer is as good for one question as for another only if all that the model sees is equal: messages,
    schema and parameters; the key is a hash of these, so no prompt is kept.
    """

    def __init__(self, settings: CacheSettings, agent: str, clock: Clock) -> None:
        self._on, self._agent = settings.seconds > 0, agent
        self._kept: TTLCache[str, Completion] = TTLCache(settings.entries, settings.seconds, clock)

    def find(self, chat: Chat) -> Completion | None:
        """A former answer, which cost nothing this time."""
        if not self._on:
            return None
        found = self._kept.get(_key(chat))
        telemetry.CACHE.labels(self._agent, "hit" if found else "miss").inc()
        return dataclasses.replace(found, prompt_tokens=0, completion_tokens=0) if found else None

    def keep(self, chat: Chat, completion: Completion) -> None:
        if self._on:
            self._kept[_key(chat)] = completion


def _key(chat: Chat) -> str:
    text = json.dumps(dataclasses.asdict(chat), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
