"""The grammar of template expressions: text between `[` and `]` to a tree.

    expression = primary {"." name | "[" expression "]"}
    primary    = integer | 'text' | name "(" [expression {"," expression}] ")"

Two quotes in a text are one. https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.azure.deployments.problems import invalid_template

#: Characters of an expression, and levels of nesting, at most.
#: https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits
LONGEST = 24_576
_DEEPEST = 64
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<integer>-?\d+)|'(?P<text>(?:[^']|'')*)'|(?P<sign>[()\[\].,]))",
    re.ASCII,
)


@dataclass(frozen=True)
class Literal:
    value: str | int


@dataclass(frozen=True)
class Call:
    """A function as it is spelt; names are compared without regard to case."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Index:
    """`of.name` and `of[key]`."""

    of: Node
    key: Node


Node = Literal | Call | Index


def expression_of(text: str) -> str | None:
    """What is between the brackets of a string that is an expression; None for any other string."""
    if text.startswith("[") and text.endswith("]") and not text.startswith("[["):
        return text[1:-1]
    return None


def literal(text: str) -> str:
    """A string that is no expression: `[[x]` stands for `[x]`."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def parse(text: str) -> Node:
    """The tree of an expression. Raises ArmError InvalidTemplate that tells what was expected, and where."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise invalid_template(
                f"The language expression length limit exceeded: {LONGEST} characters are allowed, not "
                f"{len(text)}"
            )
        self._text = text
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._expression()
        self._take("end", "the end")
        return found

    def _split(self) -> list[tuple[str, str]]:
        """(kind, text) of every token, and `end`."""
        tokens: list[tuple[str, str]] = []
        position, end = 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                raise self._unreadable(f"the character at position {position} starts nothing")
            value = match[match.lastgroup]
            tokens.append((value if match.lastgroup == "sign" else match.lastgroup, value))
            position = match.end()
        return [*tokens, ("end", "the end")]

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._unreadable(f"it is nested deeper than {_DEEPEST} levels")
        found = self._primary()
        while self._next in (".", "["):
            if self._accept("."):
                found = Index(found, Literal(self._take("name", "a property's name")))
            else:
                self._take("[", "'['")
                found = Index(found, self._expression())
                self._take("]", "']'")
        self._depth -= 1
        return found

    def _primary(self) -> Node:
        if self._next == "integer":
            return Literal(int(self._take("integer", "")))
        if self._next == "text":
            return Literal(self._take("text", "").replace("''", "'"))
        name = self._take("name", "a function, a text or an integer")
        self._take("(", "'('")
        arguments: list[Node] = []
        if not self._accept(")"):
            arguments.append(self._expression())
            while self._accept(","):
                arguments.append(self._expression())
            self._take(")", "')'")
        return Call(name, tuple(arguments))

    @property
    def _next(self) -> str:
        return self._tokens[self._at][0]

    def _accept(self, kind: str) -> bool:
        if self._next != kind:
            return False
        self._at += 1
        return True

    def _take(self, kind: str, wording: str) -> str:
        found, value = self._tokens[self._at]
        if found != kind:
            raise self._unreadable(f"expected {wording}, found {value if found == 'end' else repr(value)}")
        self._at += 1
        return value

    def _unreadable(self, why: str) -> Exception:
        return invalid_template(f"Unable to parse language expression '{self._text[:200]}': {why}")
