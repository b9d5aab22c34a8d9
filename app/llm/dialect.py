"""How a provider is told what the answer may be: its length, its temperature, the thinking before it.

Azure OpenAI's reasoning models refuse `max_tokens`, and `temperature` too; older ones take the newer name of
the limit as well. Ollama knows the older one alone, and leaves out what it does not know: an answer without
any limit. https://learn.microsoft.com/azure/foundry/openai/how-to/reasoning#api--feature-support
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from app.llm.chat import Chat


@dataclass(frozen=True)
class Dialect:
    """`bound` is the parameter that bounds an answer. `effort`: how long a reasoning model thinks.

    None for a model that cannot. What is thought counts as part of the answer: `thought` are the tokens by
    which the answer may be longer than the prompt says, so that thinking does not cut it off.
    """

    bound: Literal["max_completion_tokens", "max_tokens"]
    effort: str | None = None
    thought: int = 0

    def limit(self, chat: Chat) -> int:
        """The most tokens that an answer may cost."""
        return chat.max_tokens + self.thought

    def parameters(self, chat: Chat) -> dict[str, Any]:
        """Those of the request's body."""
        bound: dict[str, Any] = {self.bound: self.limit(chat)}
        if self.effort is None:
            return {"temperature": chat.temperature, **bound}
        # Never left out: untold, some models think, and one that must not could use up the answer's tokens.
        return {"reasoning_effort": self.effort, **bound}


OLLAMA = Dialect("max_tokens")
