"""Reading a kubeconfig: inline text or paths, merged as kubectl merges them, down to one context."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine.failures import PlugError

Config = dict[str, Any]


@dataclass(frozen=True)
class Access:
    """One context: where the API server is and who asks. Certificates and keys are PEM text."""

    server: str
    namespace: str | None
    authority: str | None
    insecure: bool
    tls_server_name: str | None
    proxy: str | None
    #: The kubeconfig user, its files read into `…-data` entries (plain text, not base64).
    user: Mapping[str, Any]


def load(given: str | None, *, home: Path, directory: Path) -> Config:
    """What a provider's `kubeconfig` setting means: text, or one or more paths; else ~/.kube/config.

    Relative paths are the engine's. Raises PlugError naming what cannot be read.
    """
    if given is None:
        return _read(home / ".kube" / "config")
    try:
        parsed = yaml.safe_load(given)
    except yaml.YAMLError as error:
        raise PlugError(f"the provider's kubeconfig is not valid YAML: {error}") from error
    if isinstance(parsed, dict):
        return parsed
    paths = [directory / Path(part).expanduser() for part in given.split(os.pathsep) if part]
    merged: Config = {}
    for path in paths:
        merged = _merge(merged, _read(path))
    return merged


def _read(path: Path) -> Config:
    try:
        parsed = yaml.safe_load(path.read_text())
    except OSError as error:
        raise PlugError(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PlugError(f"the kubeconfig {path} is not valid YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise PlugError(f"the kubeconfig {path} holds no configuration")
    return _absolute(parsed, path.parent)


def _absolute(config: Config, folder: Path) -> Config:
    """Paths inside a kubeconfig are relative to it."""
    for section, inner in (("clusters", "cluster"), ("users", "user")):
        for entry in config.get(section) or ():
            value = entry.get(inner) or {}
            for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
                if key in value:
                    value[key] = str(folder / value[key])
    return config


def _merge(first: Config, second: Config) -> Config:
    """What comes first wins, entry by entry."""
    merged = {**second, **first}
    for section in ("clusters", "users", "contexts"):
        known = {entry["name"] for entry in first.get(section) or ()}
        rest = [entry for entry in second.get(section) or () if entry["name"] not in known]
        merged[section] = [*(first.get(section) or ()), *rest]
    return merged


def access(config: Config, *, context: str | None = None, cluster: str | None = None) -> Access:
    """The chosen (else the current) context. Raises PlugError naming what is missing, and what there is."""
    link, server = _chosen(config, context, cluster)
    user = _entry(config, "users", "user", link["user"]) if link.get("user") else {}
    return Access(
        server=server["server"].rstrip("/"),
        namespace=link.get("namespace"),
        authority=_pem(server, "certificate-authority"),
        insecure=bool(server.get("insecure-skip-tls-verify")),
        tls_server_name=server.get("tls-server-name"),
        proxy=server.get("proxy-url"),
        user={
            **user,
            "client-certificate-data": _pem(user, "client-certificate"),
            "client-key-data": _pem(user, "client-key"),
        },
    )


def address(config: Config, *, context: str | None = None, cluster: str | None = None) -> str:
    """The API server's address, without a look at files the kubeconfig names."""
    return str(_chosen(config, context, cluster)[1]["server"]).rstrip("/")


def _chosen(config: Config, context: str | None, cluster: str | None) -> tuple[Config, Config]:
    chosen = context or config.get("current-context")
    if not chosen:
        raise PlugError("the kubeconfig has no current-context; set the provider's `context`")
    link = _entry(config, "contexts", "context", chosen)
    return link, _entry(config, "clusters", "cluster", cluster or link.get("cluster"))


def _entry(config: Config, section: str, inner: str, wanted: str | None) -> dict[str, Any]:
    entries = {entry.get("name"): entry.get(inner) for entry in config.get(section) or ()}
    found = entries.get(wanted)
    if not isinstance(found, dict):
        raise PlugError(
            f"the kubeconfig has no {inner} {wanted!r}; it has {', '.join(map(repr, entries)) or 'none'}"
        )
    return found


def _pem(entry: Mapping[str, Any], key: str) -> str | None:
    if data := entry.get(f"{key}-data"):
        return base64.b64decode(data).decode()
    if path := entry.get(key):
        try:
            return Path(path).read_text()
        except OSError as error:
            raise PlugError(f"cannot read the kubeconfig's {key} {path}: {error.strerror}") from error
    return None
