"""How long a model may be told to think, by its name: how requests to it are worded depends on it.

https://learn.microsoft.com/azure/foundry/openai/how-to/reasoning#reasoning-effort
"""

from __future__ import annotations

import re
from typing import Literal

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]

#: Tokens left for thinking where it is asked for: as much as Azure's own sample leaves
#: (https://github.com/Azure-Samples/azure-search-openai-demo, app/backend/approaches/approach.py).
THOUGHT = 8_192

_PLAIN = re.compile(r"gpt-(35|4)|gpt-5-chat$")
# The first that fits. Names that nothing fits are taken for models that cannot think.
_LEAST: tuple[tuple[re.Pattern[str], Effort], ...] = (
    (re.compile(r"gpt-5\.\d+(-mini|-nano)?$"), "none"),
    (re.compile(r"gpt-5(-mini|-nano)?$"), "minimal"),
    (re.compile(r"gpt-([5-9]|\d\d)|o\d"), "low"),
)


def can_reason(model: str) -> bool:
    """False only for models known not to: of a name that nobody knows, settings may say that it does."""
    return not _PLAIN.match(model)


def least(model: str) -> Effort | None:
    """The shortest that the model can be told to think; None for one that does not."""
    if not can_reason(model):
        return None
    return next((effort for pattern, effort in _LEAST if pattern.match(model)), None)
