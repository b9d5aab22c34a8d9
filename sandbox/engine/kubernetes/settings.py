"""The provider's settings (the `kubernetes:…` configuration or an explicit Provider's arguments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.caller import Caller
from sandbox.engine.kubernetes import kubeconfig
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.credentials import Credentials
from sandbox.engine.kubernetes.objects import DEFAULT_NAMESPACE

#: Settings of the official provider that would change where objects go and that this one lacks.
UNSUPPORTED = ("renderYamlToDirectory",)


@dataclass(frozen=True)
class Settings:
    """Values are as the official provider's, whose defaults come from the same PULUMI_K8S_* variables."""

    namespace: str
    configmap_mutable: bool
    secret_mutable: bool
    server_side_apply: bool
    patch_force: bool
    upsert: bool
    delete_unreachable: bool
    skip_unreachable: bool


def settings(config: Mapping[str, Any], environment: Mapping[str, str], fallback: str | None) -> Settings:
    """`fallback` is the namespace of the kubeconfig's context."""

    def flag(key: str, variable: str, default: bool = False) -> bool:
        given = config.get(key, environment.get(variable))
        return default if given is None else str(given).lower() == "true"

    return Settings(
        namespace=config.get("namespace") or fallback or DEFAULT_NAMESPACE,
        configmap_mutable=flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        secret_mutable=flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        server_side_apply=flag("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", default=True),
        patch_force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsert=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skip_unreachable=flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
    )


def access(config: Mapping[str, Any], caller: Caller) -> kubeconfig.Access:
    """Raises PlugError for an unusable kubeconfig."""
    given = config.get("kubeconfig") or caller.environment.get("KUBECONFIG") or None
    home = Path(caller.environment.get("HOME", "~")).expanduser()
    loaded = kubeconfig.load(given, home=home, directory=caller.directory)
    return kubeconfig.access(loaded, context=config.get("context"), cluster=config.get("cluster"))


def connect(found: kubeconfig.Access, caller: Caller) -> Client:
    """A client that connects on first use."""
    return Client(found, Credentials(found.user, found.server, caller))
