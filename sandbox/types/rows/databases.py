"""Cosmos DB and SQL: what holds the agents' data."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import GUID, in_group

_COSMOS = "Microsoft.DocumentDB/databaseAccounts/{accountName}"
_COSMOS_NAME = NameRule(
    r"(?!.*\s$)[^/\\#?]{1,255}", "1-255 characters other than / \\ # ?, not ending with a space"
)
_SQL = "Microsoft.Sql/servers/{serverName}"
SQL_NAME = NameRule(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "1-63 lowercase letters, digits and hyphens, not starting or ending with a hyphen",
)

COSMOS = (
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts",
        in_group(_COSMOS),
        pulumi="azure-native:cosmosdb:DatabaseAccount",
        model="azure.mgmt.cosmosdb:DatabaseAccountCreateUpdateParameters",
        view="azure.mgmt.cosmosdb:DatabaseAccountGetResults",
        name=NameRule(
            r"[a-z0-9][a-z0-9-]{1,42}[a-z0-9]",
            "3-44 lowercase letters, digits and hyphens, starting and ending with a letter or digit",
        ),
        long_running="azure-async-operation",
        replace_on=("createMode", "restoreParameters", "location"),
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases",
        in_group(f"{_COSMOS}/sqlDatabases/{{databaseName}}"),
        pulumi="azure-native:cosmosdb:SqlResourceSqlDatabase",
        model="azure.mgmt.cosmosdb:SqlDatabaseCreateUpdateParameters",
        view="azure.mgmt.cosmosdb:SqlDatabaseGetResults",
        name=_COSMOS_NAME,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/throughputSettings",
        in_group(f"{_COSMOS}/sqlDatabases/{{databaseName}}/throughputSettings/default"),
        model="azure.mgmt.cosmosdb:ThroughputSettingsUpdateParameters",
        view="azure.mgmt.cosmosdb:ThroughputSettingsGetResults",
        version="2025-10-15",
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
        in_group(f"{_COSMOS}/sqlDatabases/{{databaseName}}/containers/{{containerName}}"),
        pulumi="azure-native:cosmosdb:SqlResourceSqlContainer",
        model="azure.mgmt.cosmosdb:SqlContainerCreateUpdateParameters",
        view="azure.mgmt.cosmosdb:SqlContainerGetResults",
        name=_COSMOS_NAME,
        long_running="azure-async-operation",
        replace_on=("resource.partitionKey", "resource.uniqueKeyPolicy"),
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/throughputSettings",
        in_group(
            f"{_COSMOS}/sqlDatabases/{{databaseName}}/containers/{{containerName}}/throughputSettings/default"
        ),
        model="azure.mgmt.cosmosdb:ThroughputSettingsUpdateParameters",
        view="azure.mgmt.cosmosdb:ThroughputSettingsGetResults",
        version="2025-10-15",
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions",
        in_group(f"{_COSMOS}/sqlRoleDefinitions/{{roleDefinitionId}}"),
        pulumi="azure-native:cosmosdb:SqlResourceSqlRoleDefinition",
        model="azure.mgmt.cosmosdb:SqlRoleDefinitionCreateUpdateParameters",
        view="azure.mgmt.cosmosdb:SqlRoleDefinitionGetResults",
        name=GUID,
        autoname="uuid",
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        in_group(f"{_COSMOS}/sqlRoleAssignments/{{roleAssignmentId}}"),
        pulumi="azure-native:cosmosdb:SqlResourceSqlRoleAssignment",
        model="azure.mgmt.cosmosdb:SqlRoleAssignmentCreateUpdateParameters",
        view="azure.mgmt.cosmosdb:SqlRoleAssignmentGetResults",
        name=GUID,
        autoname="uuid",
        long_running="azure-async-operation",
    ),
)

SQL = (
    ArmType(
        "Microsoft.Sql/servers",
        in_group(_SQL),
        pulumi="azure-native:sql:Server",
        model="azure.mgmt.sql:Server",
        name=SQL_NAME,
        long_running="azure-async-operation",
        replace_on=("administratorLogin", "location"),
    ),
    ArmType(
        "Microsoft.Sql/servers/databases",
        in_group(f"{_SQL}/databases/{{databaseName}}"),
        pulumi="azure-native:sql:Database",
        model="azure.mgmt.sql:Database",
        name=NameRule(
            r"(?!.*[ .]$)[^<>*%&:\\/?\x00-\x1f]{1,128}",
            "1-128 characters other than <>*%&:\\/? and control characters, not ending with a period or a "
            "space",
        ),
        long_running="azure-async-operation",
        replace_on=(
            "collation",
            "createMode",
            "location",
            "longTermRetentionBackupResourceId",
            "recoverableDatabaseId",
            "recoveryServicesRecoveryPointId",
            "restorableDroppedDatabaseId",
            "restorePointInTime",
            "sampleName",
            "sourceDatabaseDeletionDate",
            "sourceDatabaseId",
            "sourceResourceId",
        ),
    ),
    ArmType(
        "Microsoft.Sql/servers/failoverGroups",
        in_group(f"{_SQL}/failoverGroups/{{failoverGroupName}}"),
        pulumi="azure-native:sql:FailoverGroup",
        model="azure.mgmt.sql:FailoverGroup",
        name=SQL_NAME,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.Sql/servers/firewallRules",
        in_group(f"{_SQL}/firewallRules/{{firewallRuleName}}"),
        pulumi="azure-native:sql:FirewallRule",
        model="azure.mgmt.sql:FirewallRule",
        name=NameRule(
            r"(?!.*\.$)[^<>*%&:\\/?;\x00-\x1f]{1,128}",
            "1-128 characters other than <>*%&:;\\/?, not ending with a period",
        ),
    ),
    ArmType(
        "Microsoft.Sql/servers/administrators",
        in_group(f"{_SQL}/administrators/{{administratorName}}"),
        pulumi="azure-native:sql:ServerAzureADAdministrator",
        model="azure.mgmt.sql:ServerAzureADAdministrator",
        name=NameRule(r"ActiveDirectory", "'ActiveDirectory'"),
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.Sql/servers/azureADOnlyAuthentications",
        in_group(f"{_SQL}/azureADOnlyAuthentications/{{authenticationName}}"),
        pulumi="azure-native:sql:ServerAzureADOnlyAuthentication",
        model="azure.mgmt.sql:ServerAzureADOnlyAuthentication",
        name=NameRule(r"[Dd]efault", "'Default'"),
        long_running="azure-async-operation",
        default_body={"properties": {"azureADOnlyAuthentication": False}},
        singleton="Default",
    ),
    ArmType(
        "Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies",
        in_group(f"{_SQL}/databases/{{databaseName}}/backupShortTermRetentionPolicies/{{policyName}}"),
        pulumi="azure-native:sql:BackupShortTermRetentionPolicy",
        model="azure.mgmt.sql:BackupShortTermRetentionPolicy",
        name=NameRule(r"[Dd]efault", "'default'"),
        long_running="azure-async-operation",
        default_body={"properties": {"retentionDays": 7}},
    ),
    ArmType(
        "Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies",
        in_group(f"{_SQL}/databases/{{databaseName}}/backupLongTermRetentionPolicies/{{policyName}}"),
        pulumi="azure-native:sql:LongTermRetentionPolicy",
        model="azure.mgmt.sql:LongTermRetentionPolicy",
        name=NameRule(r"[Dd]efault", "'default'"),
        long_running="azure-async-operation",
        default_body={
            "properties": {
                "weeklyRetention": "PT0S",
                "monthlyRetention": "PT0S",
                "yearlyRetention": "PT0S",
                "weekOfYear": 0,
            }
        },
    ),
    ArmType(
        "Microsoft.Sql/servers/databases/transparentDataEncryption",
        in_group(f"{_SQL}/databases/{{databaseName}}/transparentDataEncryption/{{tdeName}}"),
        pulumi="azure-native:sql:TransparentDataEncryption",
        model="azure.mgmt.sql:LogicalDatabaseTransparentDataEncryption",
        name=NameRule(r"[Cc]urrent", "'current'"),
        default_body={"properties": {"state": "Enabled"}},
        singleton="current",
    ),
    ArmType(
        "Microsoft.Sql/servers/auditingSettings",
        in_group(f"{_SQL}/auditingSettings/{{blobAuditingPolicyName}}"),
        pulumi="azure-native:sql:ServerBlobAuditingPolicy",
        model="azure.mgmt.sql:ServerBlobAuditingPolicy",
        name=NameRule(r"[Dd]efault", "'default'"),
        long_running="azure-async-operation",
        default_body={"properties": {"state": "Disabled"}},
    ),
    ArmType(
        "Microsoft.Sql/servers/extendedAuditingSettings",
        in_group(f"{_SQL}/extendedAuditingSettings/{{blobAuditingPolicyName}}"),
        pulumi="azure-native:sql:ExtendedServerBlobAuditingPolicy",
        model="azure.mgmt.sql:ExtendedServerBlobAuditingPolicy",
        name=NameRule(r"[Dd]efault", "'default'"),
        long_running="azure-async-operation",
        default_body={"properties": {"state": "Disabled"}},
    ),
    ArmType(
        "Microsoft.Sql/servers/databases/auditingSettings",
        in_group(f"{_SQL}/databases/{{databaseName}}/auditingSettings/{{blobAuditingPolicyName}}"),
        pulumi="azure-native:sql:DatabaseBlobAuditingPolicy",
        model="azure.mgmt.sql:DatabaseBlobAuditingPolicy",
        name=NameRule(r"[Dd]efault", "'default'"),
        default_body={"properties": {"state": "Disabled"}},
    ),
    ArmType(
        "Microsoft.Sql/servers/connectionPolicies",
        in_group(f"{_SQL}/connectionPolicies/{{connectionPolicyName}}"),
        model="azure.mgmt.sql:ServerConnectionPolicy",
        version="2023-08-01",
        name=NameRule(r"[Dd]efault", "'default'"),
        long_running="azure-async-operation",
        default_body={"properties": {"connectionType": "Default"}},
    ),
)

ROWS = (*COSMOS, *SQL)
