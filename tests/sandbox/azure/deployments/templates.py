"""Templates and requests that several tests use."""

from __future__ import annotations

from typing import Any

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
VERSION = "2024-01-01"


def template(*resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **sections}


def asked(made: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The body of a PUT."""
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": made, "parameters": given}}


def thing(name: str, **more: Any) -> dict[str, Any]:
    """A resource of a type that is made at once."""
    return {"type": "Microsoft.Test/things", "apiVersion": VERSION, "name": name, **more}


def slow(name: str, **more: Any) -> dict[str, Any]:
    """A resource of a type that is made in the background, once the gate is open."""
    return {"type": "Microsoft.Test/slow", "apiVersion": VERSION, "name": name, **more}
