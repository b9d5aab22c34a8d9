"""Cosmos DB, SQL, storage, Key Vault, Azure OpenAI, Event Grid: what holds or carries data."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import GUID, in_group
from sandbox.types.shapes import STRING, Shape

_COSMOS = "Microsoft.DocumentDB/databaseAccounts/{accountName}"
_COSMOS_NAME = NameRule(
    r"(?!.*\s$)[^/\\#?]{1,255}", "1-255 characters other than / \\ # ?, not ending with a space"
)
_SQL = "Microsoft.Sql/servers/{serverName}"
SQL_NAME = NameRule(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "1-63 lowercase letters, digits and hyphens, not starting or ending with a hyphen",
)
_STORAGE = "Microsoft.Storage/storageAccounts/{accountName}"
_VAULT = "Microsoft.KeyVault/vaults/{vaultName}"
_VAULT_CHILD = NameRule(r"[A-Za-z0-9-]{1,127}", "1-127 alphanumerics and hyphens")
_OPENAI = "Microsoft.CognitiveServices/accounts/{accountName}"
_TOPIC = NameRule(r"[A-Za-z0-9-]{3,50}", "3-50 alphanumerics and hyphens")
_SUBSCRIPTION = NameRule(r"[A-Za-z0-9-]{3,64}", "3-64 alphanumerics and hyphens")

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

STORAGE = (
    ArmType(
        "Microsoft.Storage/storageAccounts",
        in_group(_STORAGE),
        pulumi="azure-native:storage:StorageAccount",
        model="azure.mgmt.storage:StorageAccountCreateParameters",
        view="azure.mgmt.storage:StorageAccount",
        name=NameRule(r"[a-z0-9]{3,24}", "3-24 lowercase letters and digits"),
        long_running="location",
        replace_on=("isHnsEnabled", "location", "enableNfsV3"),
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/blobServices",
        in_group(f"{_STORAGE}/blobServices/{{blobServicesName}}"),
        pulumi="azure-native:storage:BlobServiceProperties",
        model="azure.mgmt.storage:BlobServiceProperties",
        name=NameRule(r"default", "'default'"),
        default_body={"properties": {}},
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        in_group(f"{_STORAGE}/blobServices/default/containers/{{containerName}}"),
        pulumi="azure-native:storage:BlobContainer",
        model="azure.mgmt.storage:BlobContainer",
        name=NameRule(
            r"\$root|\$web|\$logs|(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
            "3-63 lowercase letters, digits and single hyphens, starting and ending with a letter or digit",
        ),
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
        in_group(
            f"{_STORAGE}/blobServices/default/containers/{{containerName}}"
            "/immutabilityPolicies/{immutabilityPolicyName}"
        ),
        pulumi="azure-native:storage:BlobContainerImmutabilityPolicy",
        model="azure.mgmt.storage:ImmutabilityPolicy",
        name=NameRule(r"default", "'default'"),
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/queueServices",
        in_group(f"{_STORAGE}/queueServices/{{queueServiceName}}"),
        pulumi="azure-native:storage:QueueServiceProperties",
        model="azure.mgmt.storage:QueueServiceProperties",
        name=NameRule(r"default", "'default'"),
        default_body={"properties": {}},
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/queueServices/queues",
        in_group(f"{_STORAGE}/queueServices/default/queues/{{queueName}}"),
        pulumi="azure-native:storage:Queue",
        model="azure.mgmt.storage:StorageQueue",
        name=NameRule(
            r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
            "3-63 lowercase letters, digits and single hyphens, starting and ending with a letter or digit",
        ),
    ),
    ArmType(
        "Microsoft.Storage/storageAccounts/managementPolicies",
        in_group(f"{_STORAGE}/managementPolicies/{{managementPolicyName}}"),
        pulumi="azure-native:storage:ManagementPolicy",
        model="azure.mgmt.storage:ManagementPolicy",
        name=NameRule(r"default", "'default'"),
    ),
)

VAULT = (
    ArmType(
        "Microsoft.KeyVault/vaults",
        in_group(_VAULT),
        pulumi="azure-native:keyvault:Vault",
        model="azure.mgmt.keyvault:VaultCreateOrUpdateParameters",
        view="azure.mgmt.keyvault:Vault",
        name=NameRule(
            r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]",
            "3-24 alphanumerics and single hyphens, starting with a letter and ending with a letter or digit",
        ),
        long_running="provisioning-state",
        replace_on=("location", "properties.tenantId"),
        keep_unset=("properties.accessPolicies",),
    ),
    ArmType(
        "Microsoft.KeyVault/vaults/secrets",
        in_group(f"{_VAULT}/secrets/{{secretName}}"),
        pulumi="azure-native:keyvault:Secret",
        model="azure.mgmt.keyvault:SecretCreateOrUpdateParameters",
        view="azure.mgmt.keyvault:Secret",
        name=_VAULT_CHILD,
        vault_collection="secrets",
    ),
    ArmType(
        "Microsoft.KeyVault/vaults/keys",
        in_group(f"{_VAULT}/keys/{{keyName}}"),
        pulumi="azure-native:keyvault:Key",
        model="azure.mgmt.keyvault:KeyCreateParameters",
        view="azure.mgmt.keyvault:Key",
        name=_VAULT_CHILD,
        vault_collection="keys",
    ),
)

OPENAI = (
    ArmType(
        "Microsoft.CognitiveServices/accounts",
        in_group(_OPENAI),
        pulumi="azure-native:cognitiveservices:Account",
        model="azure.mgmt.cognitiveservices:Account",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]",
            "2-64 alphanumerics and hyphens, starting and ending with an alphanumeric",
        ),
        long_running="provisioning-state",
        replace_on=("kind", "location", "properties.customSubDomainName"),
    ),
    ArmType(
        "Microsoft.CognitiveServices/accounts/deployments",
        in_group(f"{_OPENAI}/deployments/{{deploymentName}}"),
        pulumi="azure-native:cognitiveservices:Deployment",
        model="azure.mgmt.cognitiveservices:Deployment",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}",
            "2-64 alphanumerics, underscores, periods and hyphens, starting with an alphanumeric",
        ),
        long_running="provisioning-state",
        # `az cognitiveservices account deployment create` sends what it was given on its command line.
        numeric_strings=("sku.capacity",),
    ),
    ArmType(
        "Microsoft.CognitiveServices/accounts/raiPolicies",
        in_group(f"{_OPENAI}/raiPolicies/{{raiPolicyName}}"),
        pulumi="azure-native:cognitiveservices:RaiPolicy",
        model="azure.mgmt.cognitiveservices:RaiPolicy",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9_.-]*",
            "alphanumerics, underscores, periods and hyphens, starting with an alphanumeric",
        ),
    ),
)

EVENTS = (
    ArmType(
        "Microsoft.EventGrid/topics",
        in_group("Microsoft.EventGrid/topics/{topicName}"),
        pulumi="azure-native:eventgrid:Topic",
        model="azure.mgmt.eventgrid:Topic",
        name=_TOPIC,
        long_running="azure-async-operation",
        replace_on=("location", "inputSchema"),
        preview={
            "kind": STRING,
            "sku": Shape("map", STRING),
            "extendedLocation": Shape("map", STRING),
        },
    ),
    ArmType(
        "Microsoft.EventGrid/systemTopics",
        in_group("Microsoft.EventGrid/systemTopics/{systemTopicName}"),
        pulumi="azure-native:eventgrid:SystemTopic",
        model="azure.mgmt.eventgrid:SystemTopic",
        name=_TOPIC,
        long_running="azure-async-operation",
        replace_on=("location", "source", "topicType"),
    ),
    ArmType(
        "Microsoft.EventGrid/eventSubscriptions",
        "/{scope}/providers/Microsoft.EventGrid/eventSubscriptions/{eventSubscriptionName}",
        pulumi="azure-native:eventgrid:EventSubscription",
        model="azure.mgmt.eventgrid:EventSubscription",
        name=_SUBSCRIPTION,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.EventGrid/topics/eventSubscriptions",
        in_group("Microsoft.EventGrid/topics/{topicName}/eventSubscriptions/{eventSubscriptionName}"),
        pulumi="azure-native:eventgrid:TopicEventSubscription",
        model="azure.mgmt.eventgrid:EventSubscription",
        name=_SUBSCRIPTION,
        long_running="azure-async-operation",
    ),
)

ROWS = (*COSMOS, *SQL, *STORAGE, *VAULT, *OPENAI, *EVENTS)
