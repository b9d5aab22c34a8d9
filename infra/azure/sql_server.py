"""A logical SQL server: Entra-only, audited, closed to whom no rule lets in."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_azure_native import authorization, sql

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.identity import Identity
from infra.azure.place import Place
from infra.azure.private import Service


@dataclass(frozen=True)
class SqlServerArgs:
    """`location` may be another one than the place's; `administrator` is the only one there is."""

    name: str
    place: Place
    location: str
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    administrator: Identity


class SqlServer(pulumi.ComponentResource):
    """Its audit goes to the workspace, through the master database as Azure wants it.

    https://learn.microsoft.com/azure/azure-sql/database/auditing-setup

    The connection policy stays Azure's default (redirect inside Azure, proxy from elsewhere and through
    private endpoints), which is what this program would set.
    """

    def __init__(self, name: str, args: SqlServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:SqlServer", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.resource = self._server(name)
        self.id, self.name = self.resource.id, self.resource.name
        self._let_in(name)
        args.exposure.connect(name, args.place, Service.SQL, self.id, child)
        self._audit(name)
        self.register_outputs({"name": self.name})

    def _server(self, name: str) -> sql.Server:
        args, administrator = self._args, self._args.administrator
        return sql.Server(
            name,
            server_name=args.name,
            resource_group_name=args.place.resource_group,
            location=args.location,
            version="12.0",
            administrators=sql.ServerExternalAdministratorArgs(
                administrator_type=sql.AdministratorType.ACTIVE_DIRECTORY,
                azure_ad_only_authentication=True,
                principal_type=sql.PrincipalType.APPLICATION,
                login=administrator.resource.name,
                # SQL knows an application by its client id, everyone else by the object id.
                # https://learn.microsoft.com/azure/azure-sql/database/authentication-aad-configure
                sid=administrator.client_id,
                tenant_id=authorization.get_client_config_output().tenant_id,
            ),
            minimal_tls_version=sql.MinimalTlsVersion.MINIMAL_TLS_VERSION_1_2,
            public_network_access=args.exposure.public_network_access,
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )

    def _let_in(self, name: str) -> None:
        """A rule for each address that may come in; without rules a server lets nobody in."""
        for number, address in enumerate(self._args.exposure.known_addresses):
            sql.FirewallRule(
                f"{name}-{number}",
                firewall_rule_name=f"allowed-{number}",
                server_name=self.name,
                resource_group_name=self._args.place.resource_group,
                start_ip_address=address.apply(lambda text: bounds(text)[0]),
                end_ip_address=address.apply(lambda text: bounds(text)[1]),
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _audit(self, name: str) -> None:
        sink = diagnose(
            f"{name}-audit",
            pulumi.Output.concat(self.id, "/databases/master"),
            self._args.workspace_id,
            pulumi.ResourceOptions(parent=self),
            logs=("audit",),
            metrics=False,
        )
        sql.ServerBlobAuditingPolicy(
            f"{name}-audit",
            blob_auditing_policy_name="default",
            server_name=self.name,
            resource_group_name=self._args.place.resource_group,
            state=sql.BlobAuditingPolicyState.ENABLED,
            is_azure_monitor_target_enabled=True,
            audit_actions_and_groups=[
                "BATCH_COMPLETED_GROUP",
                "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
                "FAILED_DATABASE_AUTHENTICATION_GROUP",
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[sink]),
        )


def bounds(addresses: str) -> tuple[str, str]:
    """First and last address of a range in CIDR notation, or of a single address."""
    found = IPv4Network(addresses)
    return str(found[0]), str(found[-1])
