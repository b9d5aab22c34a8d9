"""Functions of the provider: what the SDK's yaml.ConfigFile and ConfigGroup call."""

from __future__ import annotations

from typing import Any

import yaml

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.check import cluster_wide
from sandbox.engine.kubernetes.objects import Object
from sandbox.engine.values import Properties

DECODE = "kubernetes:yaml:decode"


def invoke(token: str, arguments: Properties) -> Properties:
    """Raises PlugError for functions this provider lacks, and for what they cannot read."""
    if token != DECODE:
        raise PlugError(f"{token} is not supported by the sandbox's kubernetes provider; {DECODE} is")
    return {"result": decoded(arguments.get("text") or "", arguments.get("defaultNamespace"))}


def decoded(text: str, namespace: str | None) -> list[Object]:
    """The objects of a YAML stream, Lists flattened, in the default namespace where they name none."""
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise PlugError(f"cannot read the YAML: {error}") from error
    found: list[Object] = []
    for document in documents:
        if document is not None:
            found += _items(document)
    return [_placed(value, namespace) for value in found]


def _items(document: Any) -> list[Object]:
    if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
        raise PlugError(f"the YAML holds something that is no Kubernetes object: {str(document)[:80]}")
    if document["kind"].endswith("List") and isinstance(document.get("items"), list):
        return [item for entry in document["items"] for item in _items(entry)]
    return [document]


def _placed(value: Object, namespace: str | None) -> Object:
    if namespace is None or cluster_wide(value["kind"]):
        return value
    metadata = value.get("metadata") or {}
    return {**value, "metadata": {"namespace": namespace, **metadata}}
