"""Revisions of releases in a cluster."""

from __future__ import annotations

from sandbox.engine.kubernetes.client import ApiError, Client
from sandbox.engine.kubernetes.objects import Kind
from sandbox.helm import releases
from sandbox.helm.releases import Release

MANAGER = "helm"
_SECRET = Kind("", "v1", "Secret")


def history(client: Client, namespace: str, name: str) -> list[Release]:
    """All revisions, the newest last."""
    labels = f"{releases.OWNER},name={name}"
    try:
        found = [releases.read(one) for one in client.all(_SECRET, namespace, labels=labels)]
    except ApiError as error:
        if error.status == 404:
            return []
        raise
    return sorted((one for one in found if one is not None), key=lambda one: one.revision)


def latest(client: Client, namespace: str, name: str) -> Release | None:
    return next(reversed(history(client, namespace, name)), None)


def save(client: Client, release: Release) -> None:
    """Write a revision, over what it said before."""
    body = release.secret()
    if client.find(_SECRET, release.namespace, release.secret_name) is None:
        client.create(_SECRET, release.namespace, body, manager=MANAGER)
    else:
        client.apply(_SECRET, release.namespace, body, manager=MANAGER, force=True)


def forget(client: Client, release: Release) -> None:
    try:
        client.delete(_SECRET, release.namespace, release.secret_name, propagation="Background")
    except ApiError as error:
        if error.status != 404:
            raise
