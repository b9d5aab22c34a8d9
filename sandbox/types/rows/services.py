"""Storage, Key Vault, Azure OpenAI, Event Grid: the services that agents call beside their databases."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import in_group
from sandbox.types.shapes import STRING, Shape

_STORAGE = "Microsoft.Storage/storageAccounts/{accountName}"
_VAULT = "Microsoft.KeyVault/vaults/{vaultName}"
_VAULT_CHILD = NameRule(r"[A-Za-z0-9-]{1,127}", "1-127 alphanumerics and hyphens")
_OPENAI = "Microsoft.CognitiveServices/accounts/{accountName}"
_TOPIC = NameRule(r"[A-Za-z0-9-]{3,50}", "3-50 alphanumerics and hyphens")
_SUBSCRIPTION = NameRule(r"[A-Za-z0-9-]{3,64}", "3-64 alphanumerics and hyphens")

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

ROWS = (*STORAGE, *VAULT, *OPENAI, *EVENTS)
