"""Nothing secret and nothing of a prompt in what is told of a process.

Text loses whatever looks like a credential. Exceptions lose what they say, since libraries quote the value
they stumble over, which may be an input or a model's answer; types and frames stay.
"""

from __future__ import annotations

import re
import traceback

_REMOVED = "[removed]"
_NAMES = (
    "authorization|api[-_]?key|aeg-sas-key|account[-_]?key|shared[-_]?access[-_]?(?:key|signature)"
    "|client[-_]?(?:secret|assertion)|access[-_]?token|refresh[-_]?token|password|passwd|pwd|secret|sig"
)
_SECRETS = (
    # JSON web tokens, wherever they stand.
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"),
    # The keys of OpenAI and its likes.
    re.compile(r"\bsk-[\w-]{16,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )[\w+/=-]{8,}"),
    # name=value, "name": "value", name: value
    re.compile(rf"""(?i)\b(?P<name>(?:{_NAMES})["']?\s*[=:]\s*["']?)(?!bearer |basic )[^\s"'&;,}}]+"""),
)


def redact(text: str) -> str:
    """The text without anything that looks like a credential."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: f"{found.groupdict().get('name') or ''}{_REMOVED}", text)
    return text


def stack(error: BaseException) -> str:
    """Type and frames of an error and of what led to it, oldest first; nothing of what they say."""
    return _stack(error, set())


def _stack(error: BaseException, seen: set[int]) -> str:
    """`seen` are the errors told already: one may be its own ancestor, or its group's."""
    told: list[str] = []
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        told.append("\n".join((f"{frames}{kind(current)}", *(_stack(part, seen) for part in parts))))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nand then\n".join(reversed(told))


def kind(error: BaseException) -> str:
    """The name of an error's type, with its module unless it is built in."""
    found = type(error)
    return (
        found.__qualname__ if found.__module__ == "builtins" else f"{found.__module__}.{found.__qualname__}"
    )
