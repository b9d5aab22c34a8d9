"""Service accounts of pods that are an identity of Azure's; no secret is mounted for it."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.azure.identity import Federated
from infra.workload.policies import Pods

# https://learn.microsoft.com/azure/aks/workload-identity-overview
_CLIENT_ID = "azure.workload.identity/client-id"


def declare(
    who: Pods, identity: Federated, oidc_issuer: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """The account, called as the pods are, and the trust that the identity has in it: both before any pod."""
    trust = identity.federate(oidc_issuer, who.namespace, who.name)
    account = k8s.core.v1.ServiceAccount(
        who.name,
        metadata=ObjectMetaArgs(
            name=who.name,
            namespace=who.namespace,
            labels=who.labels,
            annotations={_CLIENT_ID: identity.client_id},
        ),
        automount_service_account_token=False,
        opts=opts,
    )
    return [account, trust]
