"""User-assigned identities: who the platform's parts are to Entra ID."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity

from infra.azure.place import Place
from infra.azure.roles import Grantee

# The audience that Entra ID expects in a workload's service-account token.
WORKLOAD_AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class IdentityArgs:
    name: str
    place: Place


class Identity(pulumi.ComponentResource):
    """One identity without credentials. Workloads get it by federation, nodes by assignment."""

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Identity", name, None, opts)
        self._key = name
        self._group = args.place.resource_group
        self.resource = managedidentity.UserAssignedIdentity(
            name,
            resource_name_=args.name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.resource.id
        self.client_id = self.resource.client_id
        self.principal_id = self.resource.principal_id
        self.register_outputs({"clientId": self.client_id, "principalId": self.principal_id})

    def grantee(self) -> Grantee:
        return Grantee(self._key, self.principal_id)

    def federate(self, issuer: pulumi.Input[str], namespace: str, service_account: str) -> pulumi.Resource:
        """Let pods of one Kubernetes service account be this identity."""
        return managedidentity.FederatedIdentityCredential(
            f"{self._key}-{service_account}",
            federated_identity_credential_resource_name=f"{namespace}-{service_account}",
            resource_name_=self.resource.name,
            resource_group_name=self._group,
            issuer=issuer,
            subject=f"system:serviceaccount:{namespace}:{service_account}",
            audiences=[WORKLOAD_AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
