"""User-assigned identities: who the platform's parts are to Entra ID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pulumi
from pulumi_azure_native import managedidentity

from infra.azure.place import Place
from infra.azure.roles import Grantee

# The audience that Entra ID expects in a workload's service-account token.
WORKLOAD_AUDIENCE = "api://AzureADTokenExchange"


class Federated(Protocol):
    """An identity that pods can be: one of this stack's, or one that another stack made."""

    client_id: pulumi.Output[str]

    def federate(self, issuer: pulumi.Input[str], namespace: str, service_account: str) -> pulumi.Resource:
        """Let pods of one Kubernetes service account be this identity."""


@dataclass(frozen=True)
class IdentityArgs:
    """`location`: another region than the place's."""

    name: str
    place: Place
    location: str | None = None


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
            location=args.location or args.place.location,
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
        options = pulumi.ResourceOptions(parent=self)
        trusted = Trusted(issuer, namespace, service_account)
        return _credential(self._key, self.resource.name, self._group, trusted, options)


class ForeignIdentity:
    """An identity that another stack made and keeps: here one more cluster's pods are let be it."""

    def __init__(self, key: str, name: str, resource_group: str) -> None:
        self._key, self._name, self._group = key, name, resource_group
        found = managedidentity.get_user_assigned_identity_output(
            resource_group_name=resource_group, resource_name=name
        )
        self.client_id = found.client_id

    def federate(self, issuer: pulumi.Input[str], namespace: str, service_account: str) -> pulumi.Resource:
        """Let pods of one Kubernetes service account be this identity."""
        trusted = Trusted(issuer, namespace, service_account)
        return _credential(self._key, self._name, self._group, trusted, None)


@dataclass(frozen=True)
class Trusted:
    """A service account of a cluster, which its `issuer` vouches for."""

    issuer: pulumi.Input[str]
    namespace: str
    service_account: str


def _credential(
    key: str,
    identity: pulumi.Input[str],
    resource_group: pulumi.Input[str],
    trusted: Trusted,
    opts: pulumi.ResourceOptions | None,
) -> pulumi.Resource:
    return managedidentity.FederatedIdentityCredential(
        f"{key}-{trusted.service_account}",
        federated_identity_credential_resource_name=f"{trusted.namespace}-{trusted.service_account}",
        resource_name_=identity,
        resource_group_name=resource_group,
        issuer=trusted.issuer,
        subject=f"system:serviceaccount:{trusted.namespace}:{trusted.service_account}",
        audiences=[WORKLOAD_AUDIENCE],
        opts=opts,
    )
