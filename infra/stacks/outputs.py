"""What the users of a stack with agents need next."""

from __future__ import annotations

from typing import Any

import pulumi

from infra.stacks.ground import Ground
from infra.stacks.services import Services


def outputs_of(ground: Ground, services: Services, host: str) -> dict[str, pulumi.Output[Any] | str]:
    """`host` is where the agents answer."""
    group, cluster = ground.group, services.cluster
    return {
        "agentsUrl": f"https://{host}",
        "resourceGroup": group.name,
        "cluster": cluster.name,
        "namespace": ground.names.namespace,
        "eventsEndpoint": services.events.endpoint,
        "vaultUri": services.vault.uri,
        "deadLetters": services.storage.blob_endpoint,
        "getCredentials": pulumi.Output.format(
            "az aks get-credentials -g {0} -n {1} && kubelogin convert-kubeconfig -l azurecli",
            group.name,
            cluster.name,
        ),
    }
