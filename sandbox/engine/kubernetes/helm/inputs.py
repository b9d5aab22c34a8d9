"""The properties of a Release: what is filled in, checked and computed from the chart beforehand.

The official provider completes inputs with every zero value, the names of the chart's objects and a checksum
of its manifest, so that a preview shows a changed chart. Source: pulumi-kubernetes,
provider/pkg/provider/helm_release.go.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, Final

import yaml

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.helm import charts
from sandbox.engine.kubernetes.objects import Object
from sandbox.engine.values import Properties, conceal, has_unknown, reveal

_HEX_DIGITS: Final = 8
#: Seconds to wait for what a release installs and for what it removes.
TIMEOUT: Final = 300
_FALSE: Final = (
    "allowNullValues",
    "atomic",
    "cleanupOnFail",
    "createNamespace",
    "dependencyUpdate",
    "devel",
    "disableCRDHooks",
    "disableOpenapiValidation",
    "disableWebhooks",
    "forceUpdate",
    "lint",
    "recreatePods",
    "renderSubchartNotes",
    "replace",
    "resetValues",
    "reuseValues",
    "skipAwait",
    "skipCrds",
    "takeOwnership",
    "verify",
    "waitForJobs",
)
_EMPTY: Final = ("description", "keyring", "postrender", "version")
_OTHERS: Final = ("chart", "maxHistory", "name", "namespace", "repositoryOpts", "timeout", "values")
#: Run other programs or read files with Helm's own code, which is not here.
_UNSUPPORTED: Final = ("postrender", "valueYamlFiles")


def completed(
    name: str, news: Properties, olds: Properties, *, seed: bytes, namespace: str
) -> tuple[Properties, dict[str, str]]:
    """(inputs, property -> what is wrong). `olds` are the previous inputs: an automatic name is kept."""
    found = {key: value for key, value in news.items() if value is not None}
    if not found.get("name"):
        digits = hashlib.sha256(seed).hexdigest() if seed else secrets.token_hex(_HEX_DIGITS)
        found["name"] = reveal(olds).get("name") or f"{name}-{digits[:_HEX_DIGITS]}"
    found["namespace"] = found.get("namespace") or namespace
    if not found.get("skipAwait"):
        found.setdefault("timeout", TIMEOUT)
    refused = {
        key: "is not supported by the sandbox's kubernetes provider; give `values` instead"
        for key in _UNSUPPORTED
        if found.get(key)
    }
    if refused or has_unknown(found):
        return found, refused
    plain = reveal(found)
    try:
        computed = _computed(plain)
    except PlugError as error:
        return found, {"chart": f"{error}; check the chart name and repository configuration."}
    return conceal({**_whole(plain), **computed}, found), {}


def _whole(found: Properties) -> Properties:
    """Every property of a Release, with its zero value where none was given."""
    kept: Properties = {key: found[key] for key in _OTHERS if key in found}
    return {
        **{key: found.get(key, False) for key in _FALSE},
        **{key: found.get(key, "") for key in _EMPTY},
        **kept,
        "timeout": found.get("timeout", 0),
        "values": _without_nulls(found.get("values") or {}),
    }


def _computed(found: Properties) -> Properties:
    objects = chart_of(found).objects(found["name"], _without_nulls(found.get("values") or {}))
    digest = hashlib.sha256(manifest(objects).encode()).hexdigest()
    return {"checksum": digest, "resourceNames": resource_names(objects)}


def chart_of(found: Properties) -> charts.Chart:
    """Raises PlugError for a chart that the sandbox does not know."""
    repository = (found.get("repositoryOpts") or {}).get("repo") or ""
    return charts.find(found.get("chart") or "", repository, found.get("version") or "")


def manifest(objects: Sequence[Object]) -> str:
    """What is installed, as one YAML stream."""
    return "".join(f"---\n{yaml.dump(one, Dumper=yaml.CSafeDumper, sort_keys=True)}" for one in objects)


def resource_names(objects: Sequence[Object]) -> dict[str, list[str]]:
    """`kind/group/version` -> names, as outputs show it."""
    found: dict[str, list[str]] = {}
    for one in objects:
        found.setdefault(f"{one['kind']}/{one['apiVersion']}", []).append(one["metadata"]["name"])
    return found


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
