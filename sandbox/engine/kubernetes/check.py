"""Completing and checking inputs before anything is planned."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

from sandbox.engine.kubernetes.live import clean
from sandbox.engine.kubernetes.objects import Token, annotation
from sandbox.engine.values import UNKNOWN, Properties, reveal

AUTONAMED = "pulumi.com/autonamed"
_HEX_DIGITS = 8
#: Python's SDK cannot spell the dashes of a schema extension (provider.go, mapReplUnderscoreToDash).
_UNDERSCORED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_NAME = re.compile(r"^[^/]{1,253}$")


def completed(
    token: Token, name: str, news: Properties, olds: Properties, *, seed: bytes, namespace: str | None
) -> Properties:
    """Inputs with apiVersion, kind, a name and, where the kind has one and they name none, `namespace`.

    `olds` are the previous inputs: an automatic name is kept.
    """
    found: Properties = _dashed({key: value for key, value in news.items() if value is not None})
    kind = token.kind
    found.setdefault("apiVersion", kind.api_version)
    found.setdefault("kind", kind.kind)
    if isinstance(found["apiVersion"], str):
        found["apiVersion"] = found["apiVersion"].removeprefix("core/")
    metadata = found.get("metadata") or {}
    if not isinstance(metadata, dict):
        return found  # not known yet
    metadata = dict(metadata)
    if not metadata.get("name") and not metadata.get("generateName"):
        _name(metadata, name, olds, seed)
    if namespace and not metadata.get("namespace"):
        metadata["namespace"] = namespace
    return clean({**found, "metadata": metadata})


def _name(metadata: dict[str, Any], name: str, olds: Properties, seed: bytes) -> None:
    revealed = reveal(olds)
    old = revealed.get("metadata") or {}
    if old.get("name") and annotation(revealed, AUTONAMED) == "true":
        metadata["name"] = old["name"]
    else:
        digits = hashlib.sha256(seed).hexdigest() if seed else secrets.token_hex(_HEX_DIGITS)
        metadata["name"] = f"{name}-{digits[:_HEX_DIGITS]}"
    annotations = metadata.get("annotations") or {}
    if isinstance(annotations, dict):
        metadata["annotations"] = {**annotations, AUTONAMED: "true"}


def _dashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_UNDERSCORED.get(key, key): _dashed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_dashed(item) for item in value]
    return value


#: Built-in kinds without a namespace whose objects programs declare.
_CLUSTER_WIDE_KINDS = frozenset(
    {
        "APIService",
        "CSIDriver",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)


def cluster_wide(kind: str) -> bool:
    """Whether objects of this (built-in) kind have no namespace."""
    return kind in _CLUSTER_WIDE_KINDS


def problems(token: Token, inputs: Properties) -> dict[str, str]:
    """Property -> what is wrong with it."""
    found = {}
    revealed = reveal(inputs)
    metadata = revealed.get("metadata")
    if token.listing:
        found["kind"] = (
            f"{token.kind.kind} cannot be created; declare its items as resources of their own kind instead"
        )
    if isinstance(metadata, dict):
        name = metadata.get("name")
        if token.patch and not name:
            found["metadata.name"] = "a patch needs the name of the object it changes"
        if name is not None and name is not UNKNOWN and not (isinstance(name, str) and _NAME.match(name)):
            found["metadata.name"] = f"{name!r} is not a name: 1 to 253 characters without a slash"
        for key in ("labels", "annotations"):
            found |= _not_text(f"metadata.{key}", metadata.get(key))
    return found


def _not_text(path: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {
        f'{path}["{key}"]': f"must be a string, not {item!r}"
        for key, item in value.items()
        if item is not None and item is not UNKNOWN and not isinstance(item, str)
    }


def wire(inputs: Properties) -> Properties:
    """Inputs as they go over the wire: no secret marks, no nulls."""
    found: Properties = _without_nulls(reveal(inputs))
    return found


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
