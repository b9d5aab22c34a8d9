"""Bodies through the azure-mgmt models: what survives, and what is a property of theirs.

The newer generation keeps what it does not know, so that to survive is not yet to be known.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.types import models
from sandbox.types.shapes import Shape


def round_trip(model: type, body: Mapping[str, Any]) -> Any:
    """The body read into a model and written again."""
    made: Any = model
    return made.deserialize(body).serialize() if models.is_old(model) else made(body).as_dict()


def unmodelled(model: type, body: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of what no property of the model stands for."""
    variants = models.variants(model)
    if variants is not None:
        model = variants[1].get(str(body.get(variants[0])), model)
    shapes = {field.path: field.shape for field in models.fields(model)}
    if not models.takes_any(model):
        yield from _members(shapes, body, (), path)


def _members(
    shapes: Mapping[tuple[str, ...], Shape], body: Mapping[str, Any], steps: tuple[str, ...], path: str
) -> Iterator[str]:
    """The older generation flattens: a property may sit several steps down."""
    for name, value in body.items():
        here, place = (*steps, name), f"{path}.{name}" if path else name
        if here in shapes:
            yield from _value(shapes[here], value, place)
        elif isinstance(value, Mapping) and any(known[: len(here)] == here for known in shapes):
            yield from _members(shapes, value, here, path=place)
        else:
            yield place


def _value(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.kind == "object" and shape.classes and isinstance(value, Mapping):
        yield from unmodelled(shape.classes[0], value, path)
    elif shape.kind == "array" and shape.item is not None and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _value(shape.item, item, f"{path}[{number}]")
    elif shape.kind == "map" and shape.item is not None and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _value(shape.item, item, f"{path}.{key}")
