"""Kubernetes objects as plain dicts, and the kinds they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine.failures import PlugError

Object = dict[str, Any]

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Kind:
    """Group, version and kind. The core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Where the API server serves the group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}"


@dataclass(frozen=True)
class Token:
    """What a Pulumi type token names."""

    kind: Kind
    #: A `…Patch` resource: fields of an object that somebody else owns.
    patch: bool
    #: A `…List` resource, which exists for the SDK's sake only.
    listing: bool


def parse_token(token: str, value: Mapping[str, Any]) -> Token:
    """`kubernetes:apps/v1:Deployment` and the like, for an object that may say its kind itself.

    Raises PlugError for types this provider lacks.
    """
    package, _, rest = token.partition(":")
    module, _, kind = rest.rpartition(":")
    group, slash, version = module.rpartition("/")
    if not slash:  # a CustomResource of the core group
        group, version = "core", module
    if package != "kubernetes" or not kind or group in ("helm.sh", "yaml", "kustomize"):
        raise PlugError(
            f"{token} is not supported by the sandbox's kubernetes provider; declare the objects themselves, "
            "or use yaml.ConfigFile"
        )
    patched = kind.removesuffix("Patch")
    # A custom kind may end in Patch or List itself.
    patch = patched != kind and value.get("kind", patched) == patched
    built_in = "." not in group or group.endswith(".k8s.io")
    return Token(
        Kind("" if group == "core" else group, version, patched if patch else kind),
        patch,
        built_in and kind.endswith("List"),
    )


def kind_of(value: Mapping[str, Any], fallback: Kind) -> Kind:
    """The kind an object says it is (a CustomResource's token may be less exact)."""
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return fallback
    group, _, version = api_version.rpartition("/")
    return Kind("" if group == "core" else group, version, kind)


def metadata(value: Mapping[str, Any]) -> Mapping[str, Any]:
    found = value.get("metadata")
    return found if isinstance(found, dict) else {}


def name(value: Mapping[str, Any]) -> str:
    found = metadata(value).get("name")
    return found if isinstance(found, str) else ""


def namespace(value: Mapping[str, Any]) -> str:
    """The object's namespace; `default` when it names none."""
    found = metadata(value).get("namespace")
    return found if isinstance(found, str) and found else DEFAULT_NAMESPACE


def annotation(value: Mapping[str, Any], key: str) -> str | None:
    found = metadata(value).get("annotations")
    text = found.get(key) if isinstance(found, dict) else None
    return text if isinstance(text, str) else None


def identity(value: Mapping[str, Any]) -> str:
    """The Pulumi id: `namespace/name`, or the name alone for objects without a namespace."""
    space = metadata(value).get("namespace")
    return f"{space}/{name(value)}" if isinstance(space, str) and space else name(value)


def parse_identity(text: str) -> tuple[str | None, str]:
    space, slash, last = text.rpartition("/")
    return (space if slash else None), last
