"""OData `$filter`, as far as ARM's lists take it: comparisons and functions joined by `and`.

`resourceType eq 'X' and (name ne 'Y')`, `substringof('x', name)`, `startswith(tagName, 'x')`,
`principalId eq 'X'`, `assignedTo('X')`, `atScope()`, `eventTimestamp ge 'T'`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.arm.errors import ArmError, bad_request

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[\w./$:+-]+)|(?P<mark>[(),]))")
_COMPARISONS = ("eq", "ne", "ge", "gt", "le", "lt")


@dataclass(frozen=True)
class Term:
    """`field operator value`; a function is an operator whose field may be empty. Names are lower-case."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse_filter(text: str) -> list[Term]:
    """The terms, all of which must hold. Raises ArmError 400 for what cannot be read."""
    return _Reader(text).terms()


class _Reader:
    def __init__(self, text: str) -> None:
        self._source = text
        self._tokens: list[_Token] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._error(f"unexpected character at {position}")
            kind = str(match.lastgroup)
            value = match[kind]
            self._tokens.append(_Token(kind, value[1:-1].replace("''", "'") if kind == "text" else value))
            position = match.end()

    def terms(self) -> list[Term]:
        found = self._conjunction()
        if self._tokens:
            raise self._error(f"unexpected '{self._tokens[0].text}'")
        return found

    def _conjunction(self) -> list[Term]:
        found = self._term()
        while self._tokens and self._tokens[0].text.lower() == "and":
            self._take()
            found += self._term()
        return found

    def _term(self) -> list[Term]:
        if self._accept("("):
            found = self._conjunction()
            self._expect(")")
            return found
        name = self._take("word").text.lower()
        if self._accept("("):
            return [self._function(name)]
        operator = self._take("word").text.lower()
        if operator not in _COMPARISONS:
            raise self._error(f"unknown operator '{operator}'")
        return [Term(name, operator, self._take().text)]

    def _function(self, name: str) -> Term:
        field, value = "", ""
        while not self._accept(")"):
            token = self._take()
            if token.kind == "word":
                field = token.text.lower()
            elif token.kind == "text":
                value = token.text
        return Term(field, name, value)

    def _take(self, kind: str | None = None) -> _Token:
        if not self._tokens:
            raise self._error("it ends too early")
        token = self._tokens.pop(0)
        if kind is not None and token.kind != kind:
            raise self._error(f"unexpected '{token.text}'")
        return token

    def _accept(self, mark: str) -> bool:
        if self._tokens and self._tokens[0] == _Token("mark", mark):
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise self._error(f"'{mark}' is missing")

    def _error(self, why: str) -> ArmError:
        return bad_request("InvalidFilterInQueryString", f"Invalid $filter '{self._source}': {why}.")
