"""What one source (the Pulumi SDK, a management package) says about a property, before they are merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "integer", "number", "boolean", "array", "map", "object", "any"]


@dataclass(frozen=True)
class Shape:
    """A property's type. `classes` are the source's classes of an object: several where the source has a
    union that a discriminator property tells apart."""

    kind: Kind
    item: Shape | None = None
    classes: tuple[Any, ...] = ()
    enum: tuple[Any, ...] = ()
    #: Whether the source takes other strings than those in `enum`.
    open: bool = False


ANY = Shape("any")
STRING = Shape("string")


@dataclass(frozen=True)
class Field:
    """One property of a class: where it sits on the wire below the object, and what a client may do to it."""

    path: tuple[str, ...]
    attribute: str
    shape: Shape
    required: bool = False
    read_only: bool = False
    create_only: bool = False
    write_only: bool = False
