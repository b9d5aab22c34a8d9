"""Who may work on data and cluster."""

from __future__ import annotations

from pulumi_azure_native import authorization

from infra.azure.roles import Grantee
from infra.settings import Settings


def operators_of(settings: Settings) -> list[Grantee]:
    """The listed groups and people, else whoever deploys."""
    if settings.operators:
        return [Grantee(f"operator-{number}", oid, None) for number, oid in enumerate(settings.operators)]
    return [Grantee("deployer", authorization.get_client_config_output().object_id, None)]
