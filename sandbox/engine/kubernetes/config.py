"""Checking and comparing the provider's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import kubeconfig
from sandbox.engine.kubernetes.settings import UNSUPPORTED
from sandbox.engine.values import UNKNOWN


def problems(config: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: "is not supported by the sandbox's kubernetes provider; leave it out"
        for key in UNSUPPORTED
        if config.get(key)
    }


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Settings that differ."""
    keys = sorted({*old, *new} - {"version"})
    return [key for key in keys if old.get(key) is UNKNOWN or old.get(key) != new.get(key)]


def moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the settings mean another cluster, so that everything on the old one must be replaced.

    Decided by `clusterIdentifier` where one is given, else by the API server's address: a kubeconfig has no
    better identity. One that is not known yet is not called another: the update itself will tell.
    """
    if old.get("clusterIdentifier") or new.get("clusterIdentifier"):
        return bool(old.get("clusterIdentifier") != new.get("clusterIdentifier"))
    before, after = _server(old), _server(new)
    return before is not None and after is not None and before != after


def _server(config: Mapping[str, Any]) -> str | None:
    text = config.get("kubeconfig")
    if not isinstance(text, str):
        return None
    try:
        parsed = yaml.safe_load(text)
        if not isinstance(parsed, dict):
            return None  # a path: the file's content then is not known
        return kubeconfig.address(parsed, context=config.get("context"), cluster=config.get("cluster"))
    except (PlugError, yaml.YAMLError, KeyError):
        return None
