"""Jinja expressions of declarations: written by the project, over values written by others.

Values are never compiled. An expression that yields nothing (an optional field that is not there) is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment


class _Environment(ImmutableSandboxedEnvironment):
    """Values are JSON: a name after a dot is a member first, and only else an attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_EXPRESSIONS = _Environment(undefined=StrictUndefined)
# Jinja's own functions (`range`, `lipsum`…): nobody needs them, and every evaluation copies them.
_EXPRESSIONS.globals.clear()


class ExpressionError(ValueError):
    """An expression that does not compile, or fails on the values at hand; the message quotes it."""


@lru_cache(maxsize=512)
def compiled(text: str) -> Callable[..., Any]:
    """Raises ExpressionError."""
    try:
        return _EXPRESSIONS.compile_expression(text)
    except TemplateError as error:
        raise ExpressionError(f"{text!r} is no expression: {error}") from error


def evaluate(text: str, **values: Any) -> Any:
    """What the expression yields. Raises ExpressionError."""
    try:
        return compiled(text)(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise ExpressionError(f"{text!r} fails: {error}") from error
