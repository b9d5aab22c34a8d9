"""Kubernetes versions that clusters may have: the one that the toolchain built, under AKS's rules."""

from __future__ import annotations

from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.toolchain.versions import versions

#: The release that runs.
KUBERNETES = versions().go["kubernetes"].version
MINOR = KUBERNETES.rpartition(".")[0]


def resolve(requested: str | None, target: str = "properties.kubernetesVersion") -> str:
    """The full version for `1.34`, `1.34.4` or nothing. Raises AKS's K8sVersionNotSupported."""
    if requested in {None, "", MINOR, KUBERNETES}:
        return KUBERNETES
    raise bad_request(
        "K8sVersionNotSupported",
        f"Managed cluster is on version {requested}, which is not supported in this region. Please use "
        f"`az aks get-versions` command to get the supported version list in this region. Supported: "
        f"{MINOR} ({KUBERNETES}). For more information, please check https://aka.ms/supported-version-list",
        target,
    )


def check_change(current: str, requested: str) -> None:
    """Refuse a downgrade, as AKS does."""
    if _numbers(requested) < _numbers(current):
        raise ArmError(
            400,
            "OperationNotAllowed",
            f"Downgrading from version {current} to {requested} is not allowed.",
            "properties.kubernetesVersion",
        )


def listing() -> dict[str, Any]:
    """The answer of `GET …/locations/{location}/kubernetesVersions`."""
    return {
        "values": [
            {
                "version": MINOR,
                "isDefault": True,
                "isPreview": None,
                "capabilities": {"supportPlan": ["KubernetesOfficial"]},
                "patchVersions": {KUBERNETES: {"upgrades": []}},
            }
        ]
    }


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
