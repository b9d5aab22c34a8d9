"""Resource groups, deployments, identities, authorization."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import GROUP, GUID, in_group

ROWS = (
    ArmType(
        "Microsoft.Resources/resourceGroups",
        GROUP,
        pulumi="azure-native:resources:ResourceGroup",
        model="azure.mgmt.resource.resources:ResourceGroup",
        name=NameRule(
            r"[\w().-]{0,89}[\w()-]",
            "1-90 alphanumerics, underscores, parentheses, hyphens and periods, not ending with a period",
        ),
        long_running="location",
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Resources/deployments",
        in_group("Microsoft.Resources/deployments/{deploymentName}"),
        pulumi="azure-native:resources:Deployment",
        model="azure.mgmt.resource.deployments:Deployment",
        view="azure.mgmt.resource.deployments:DeploymentExtended",
        name=NameRule(
            r"[A-Za-z0-9._()-]{1,64}", "1-64 alphanumerics, underscores, parentheses, hyphens and periods"
        ),
        long_running="azure-async-operation",
        # A deployment to a resource group has none: what it makes has.
        auto_location=False,
    ),
    ArmType(
        "Microsoft.Resources/tags",
        "/{scope}/providers/Microsoft.Resources/tags/default",
        pulumi="azure-native:resources:TagAtScope",
        model="azure.mgmt.resource.resources:TagsResource",
        replace_on=("scope",),
    ),
    ArmType(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        in_group("Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"),
        pulumi="azure-native:managedidentity:UserAssignedIdentity",
        model="azure.mgmt.msi.v2024_11_30:Identity",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
            "3-128 alphanumerics, hyphens and underscores, starting with an alphanumeric",
        ),
    ),
    ArmType(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        in_group(
            "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"
            "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}"
        ),
        pulumi="azure-native:managedidentity:FederatedIdentityCredential",
        model="azure.mgmt.msi.v2024_11_30:FederatedIdentityCredential",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}",
            "3-120 alphanumerics, hyphens and underscores, starting with an alphanumeric",
        ),
    ),
    ArmType(
        "Microsoft.Authorization/roleAssignments",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        pulumi="azure-native:authorization:RoleAssignment",
        model="azure.mgmt.authorization.v2022_04_01:RoleAssignmentCreateParameters",
        view="azure.mgmt.authorization.v2022_04_01:RoleAssignment",
        name=GUID,
        autoname="uuid",
        # A role assignment is immutable but for its description and condition.
        replace_on=(
            "principalId",
            "scope",
            "roleDefinitionId",
            "principalType",
            "delegatedManagedIdentityResourceId",
        ),
    ),
    ArmType(
        "Microsoft.Authorization/roleDefinitions",
        "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
        pulumi="azure-native:authorization:RoleDefinition",
        model="azure.mgmt.authorization.v2022_05_01_preview:RoleDefinition",
        name=GUID,
        autoname="uuid",
        renames={"RoleDefinition.roleType": "type"},
    ),
    ArmType(
        "Microsoft.Authorization/locks",
        "/{scope}/providers/Microsoft.Authorization/locks/{lockName}",
        pulumi="azure-native:authorization:ManagementLockByScope",
        model="azure.mgmt.resource.locks:ManagementLockObject",
        name=NameRule(r"[\w().-]{1,90}", "1-90 alphanumerics, periods, underscores, hyphens and parentheses"),
    ),
)
