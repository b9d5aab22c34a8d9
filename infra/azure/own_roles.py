"""Roles of our own, where each of Azure's allows more than is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization

from infra.azure.roles import Definition, Grantee, assign
from infra.naming import assignment


@dataclass(frozen=True)
class OwnRoleArgs:
    """`title` is unique in the tenant. `scope` is the resource group that the role can be assigned in."""

    title: str
    description: str
    scope: pulumi.Input[str]
    actions: Sequence[str] = ()
    data_actions: Sequence[str] = ()


class OwnRole(pulumi.ComponentResource):
    """Whoever deploys needs `Microsoft.Authorization/roleDefinitions/write` on the group."""

    def __init__(self, name: str, args: OwnRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:OwnRole", name, None, opts)
        # Derived as an assignment's name is: the same role of the same stack always has the same one.
        guid = assignment("role", args.title, "tenant")
        self._resource = authorization.RoleDefinition(
            name,
            role_definition_id=guid,
            scope=args.scope,
            role_name=args.title,
            role_type="CustomRole",
            description=args.description,
            permissions=[
                authorization.PermissionArgs(actions=list(args.actions), data_actions=list(args.data_actions))
            ],
            assignable_scopes=[args.scope],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._definition = Definition(guid, self._resource.id)
        self.register_outputs({})

    def grant(self, name: str, grantees: Sequence[Grantee], scope: pulumi.Input[str]) -> None:
        """Assign the role on `scope`, which lies in its group."""
        child = pulumi.ResourceOptions(parent=self, depends_on=[self._resource])
        assign(name, self._definition, grantees, scope, child)
