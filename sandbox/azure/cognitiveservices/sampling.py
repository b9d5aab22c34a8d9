"""A value for a JSON schema: always the same one for the same schema and message, and always valid.

Fields take what the message says where it fits: a field of the same name, an enum value that occurs in the
text, a number in range, sentences for free text. Raises Unsatisfiable when no value can be made (an own
error, so that a wrong schema is not mistaken for a wrong answer).
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import rstr
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable
from rstr.xeger import STAR_PLUS_LIMIT
from rstr.xeger import sre_parse as _regex  # type: ignore[attr-defined]

from sandbox.azure.cognitiveservices.material import Material, shorten

Schema = Mapping[str, Any]

_DEPTH = 6
_TRIES = 50
#: Characters of a text: more than any model answers with.
_LONGEST = 100_000
#: Values in an answer.
_MOST_VALUES = 5_000
_FORMATS: Mapping[str, str] = {
    "date-time": "2025-01-01T09:00:00Z",
    "date": "2025-01-01",
    "time": "09:00:00Z",
    "duration": "PT1H",
    "email": "agent@example.com",
    "idn-email": "agent@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_HEADLINES = ("title", "subject", "headline", "summary", "name", "topic")


class UnsatisfiableError(Exception):
    """No value was found that the schema accepts."""


@dataclass(frozen=True)
class _Place:
    name: str
    depth: int
    #: Position in an array, so that its elements differ.
    index: int = 0


def sample(schema: Schema, material: Material) -> Any:
    """A valid value. Raises UnsatisfiableError, also for what is no JSON schema."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise UnsatisfiableError(f"it is no JSON schema: {error.message}") from error
    try:
        value = _Sampler(schema, material).value(schema, _Place("", 0))
        problem = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    except (re.error, ArithmeticError, LookupError, RecursionError, Unresolvable) as error:
        # What the meta-schema lets through: patterns that are none, empty enums, circles, huge numbers.
        raise UnsatisfiableError(f"no value can be made for it: {error}") from error
    if problem is not None:
        raise UnsatisfiableError(f"{problem.json_path}: {problem.message}")
    return value


class _Sampler:
    def __init__(self, root: Schema, material: Material) -> None:
        self._root = root
        self._left = _MOST_VALUES
        self._material = material
        self._makers: Mapping[str, Callable[[Schema, _Place], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": lambda _schema, _place: True,
            "null": lambda _schema, _place: None,
        }

    def _require_room(self, values: int) -> None:
        """Raises UnsatisfiableError when so many more are too many for an answer."""
        if values > self._left:
            raise UnsatisfiableError(f"an answer has room for {_MOST_VALUES} values")

    def value(self, schema: Schema | bool, place: _Place) -> Any:
        self._require_room(1)
        self._left -= 1
        if isinstance(schema, bool):
            return self._material.headline
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        given = self._given(schema, place)
        if given is not None:
            return given
        if "enum" in schema:
            return self._enum(schema["enum"])
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._variant(schema, schema[keyword], place)
        return self._makers[_type(schema, deep=place.depth >= _DEPTH)](schema, place)

    def _resolve(self, schema: Schema) -> Schema:
        """References followed, allOf merged."""
        seen = 0
        while "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._referenced(str(schema["$ref"])), **rest}
            seen += 1
            if seen > _TRIES:
                raise UnsatisfiableError("its references lead in a circle")
        merged = dict(schema)
        for part in merged.pop("allOf", ()):
            for key, value in self._resolve(part).items():
                if isinstance(value, dict) and isinstance(merged.get(key), dict):
                    merged[key] = {**merged[key], **value}
                elif key == "required":
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged[key] = value
        return merged

    def _referenced(self, reference: str) -> Schema:
        found: Any = self._root
        if not reference.startswith("#"):
            raise UnsatisfiableError(f"the reference {reference} leads outside the schema")
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = (
                    found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
                )
        if not isinstance(found, dict):
            raise UnsatisfiableError(f"the reference {reference} leads nowhere")
        return found

    def _given(self, schema: Schema, place: _Place) -> Any:
        """What the message's own data holds under this name, if it fits."""
        given = self._material.fields.get(place.name.lower()) if place.name else None
        if given is None or place.index:
            return None
        whole = {**schema, **{key: self._root[key] for key in ("$defs", "definitions") if key in self._root}}
        return given if Draft202012Validator(whole).is_valid(given) else None

    def _enum(self, values: list[Any]) -> Any:
        text = self._material.text.lower()
        return next(
            (value for value in values if isinstance(value, str) and value.lower() in text), values[0]
        )

    def _variant(self, schema: Schema, variants: list[Schema], place: _Place) -> Any:
        rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
        nulls_first = place.depth >= _DEPTH
        ordered = sorted(variants, key=lambda one: (self._resolve(one).get("type") == "null") != nulls_first)
        problem = UnsatisfiableError("it has no variants")
        whole = {**schema, **{key: self._root[key] for key in ("$defs", "definitions") if key in self._root}}
        for variant in ordered:
            try:
                value = self.value({**rest, **variant}, place)
            except UnsatisfiableError as error:
                problem = error
                continue
            if Draft202012Validator(whole).is_valid(value):
                return value
        raise problem

    def _object(self, schema: Schema, place: _Place) -> Any:
        if place.depth > 4 * _DEPTH:
            raise UnsatisfiableError("it contains itself without end")
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        wanted = [name for name in properties if name in required or place.depth < _DEPTH]
        made = {name: self.value(properties[name], _Place(name, place.depth + 1)) for name in wanted}
        for name in required:
            if name not in made:
                other = schema.get("additionalProperties", True)
                made[name] = self.value(other, _Place(name, place.depth + 1))
        return made

    def _array(self, schema: Schema, place: _Place) -> Any:
        prefix = schema.get("prefixItems", [])
        least = max(schema.get("minItems", 0), len(prefix))
        self._require_room(least)
        wanted = max(least, 1 if place.depth < _DEPTH else 0)
        items = schema.get("items", True)
        if wanted > len(prefix) and isinstance(items, dict) and self._resolve(items).get("type") == "string":
            wanted = max(wanted, min(3, len(self._material.sentences)))
        wanted = min(wanted, schema.get("maxItems", wanted))
        made: list[Any] = []
        for index in range(wanted):
            element = prefix[index] if index < len(prefix) else items
            value = self.value(element, _Place(place.name, place.depth + 1, index + 1))
            if schema.get("uniqueItems") and value in made:
                if len(made) >= least:
                    break
                raise UnsatisfiableError("no more distinct items can be made")
            made.append(value)
        return made

    def _string(self, schema: Schema, place: _Place) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", 600)
        _check_length(least)
        if "pattern" in schema:
            return _matching(str(schema["pattern"]), least, most)
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._prose(place)
        while len(text) < least:
            text = f"{text} {text}"
        return shorten(text, most)

    def _prose(self, place: _Place) -> str:
        if place.index:
            sentences = self._material.sentences
            round_, position = divmod(place.index - 1, len(sentences))
            return f"{sentences[position]} ({round_ + 1})" if round_ else sentences[position]
        if any(word in place.name.lower() for word in _HEADLINES):
            return self._material.headline
        return self._material.text

    def _number(self, schema: Schema, place: _Place) -> float | int:
        whole = _type(schema) == "integer"
        step = schema.get("multipleOf") or (1 if whole else None)
        low, high = _bounds(schema, whole=whole)
        said = (number for number in self._material.numbers() if low <= number <= high)
        value = next(said, None) if place.depth and not place.index else None
        if value is None:
            value = _between(low, high, whole=whole) + (step or 0.01) * max(0, place.index - 1)
        if step:
            value = math.floor(value / step) * step
            if value < low:
                value += step
        return int(value) if whole else value


def _type(schema: Schema, *, deep: bool = False) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        if deep and "null" in kind:
            return "null"
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        if "properties" in schema or "required" in schema:
            return "object"
        return "array" if "items" in schema or "prefixItems" in schema else "string"
    return str(kind)


def _bounds(schema: Schema, *, whole: bool) -> tuple[float, float]:
    """Inclusive bounds; exclusive ones are moved inwards."""
    inset = 1 if whole else 1e-6
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + inset)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - inset)
    return low, high


def _between(low: float, high: float, *, whole: bool) -> float:
    if math.isfinite(high - low):
        # Near the upper end: a confidence or a score of an answer that is meant.
        return low + 0.8 * (high - low)
    inset = 0 if whole else 0.5
    if math.isfinite(low):
        return low + inset
    return min(high, 0) - inset if math.isfinite(high) else inset


def _check_length(least: int) -> None:
    if least > _LONGEST:
        raise UnsatisfiableError(f"an answer has room for {_LONGEST} characters, not for {least}")


def _longest(parsed: Any) -> int:
    """Characters of the longest string that is made for a parsed pattern; repetitions within each other
    multiply."""
    total = 0
    for operator, argument in parsed:
        name = operator.name.lower()
        if name.endswith("_repeat"):
            least, most, inner = argument
            total += max(least, min(most, STAR_PLUS_LIMIT)) * _longest(inner)
        elif name == "branch":
            total += max(_longest(choice) for choice in argument[1])
        elif name in ("subpattern", "assert", "atomic_group"):
            total += _longest(argument[-1] if name != "atomic_group" else argument)
        else:
            total += 1
    return total


def _matching(pattern: str, least: int, most: int) -> str:
    """A string that matches; tries a fixed series of seeds until the length fits too."""
    _check_length(_longest(_regex.parse(pattern)))
    for seed in range(_TRIES):
        made = rstr.Rstr(random.Random(seed)).xeger(pattern)  # noqa: S311  # determinism is the point
        if least <= len(made) <= most:
            return made
    raise UnsatisfiableError(f"no string of {least} to {most} characters was found that matches {pattern}")
