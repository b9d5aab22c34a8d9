"""User-assigned identities: who the platform's parts are to Entra ID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
from pulumi_azure_native import authorization, managedidentity

from infra.azure.place import Place
from infra.azure.resource_manager import read
from infra.azure.roles import Grantee
from infra.cloud import Cloud

_API_VERSION = "2023-01-31"
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

    def __init__(self, key: str, name: str, resource_group: str, cloud: Cloud) -> None:
        self._key, self._name, self._group = key, name, resource_group
        self.client_id = self._look(cloud)

    def _look(self, cloud: Cloud) -> pulumi.Output[str]:
        """Its client id; unknown in a preview before there is such an identity."""
        where = authorization.get_client_config_output().subscription_id
        token = authorization.get_client_token_output().token

        def look(known: Sequence[str]) -> str:
            subscription, bearer = known
            found = read(
                f"{cloud.resource_manager}/subscriptions/{subscription}/resourceGroups/{self._group}/"
                f"providers/Microsoft.ManagedIdentity/userAssignedIdentities/{self._name}"
                f"?api-version={_API_VERSION}",
                bearer,
            )
            if found is None and not pulumi.runtime.is_dry_run():
                raise pulumi.RunError(f"there is no identity {self._name} in {self._group}")
            return str(found["properties"]["clientId"]) if found else "unknown yet"

        return pulumi.Output.all(where, token).apply(look)

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
