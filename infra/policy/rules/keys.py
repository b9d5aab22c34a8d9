"""No keys: every service takes Entra tokens and nothing else."""

from infra.policy.model import Resource
from infra.policy.rule import Faults, require, resource_rule

_LEARN = "https://learn.microsoft.com/azure"


@resource_rule(
    "azure-native:cosmosdb:DatabaseAccount",
    remedy="Set disable_local_auth=True; clients use their identity and a data-plane role",
    source=f"{_LEARN}/cosmos-db/nosql/security/how-to-disable-key-based-authentication",
)
def cosmos_takes_no_keys(account: Resource) -> Faults:
    """Cosmos DB takes Entra tokens only."""
    yield from require(account, "disableLocalAuth", True)


@resource_rule(
    "azure-native:cognitiveservices:Account",
    remedy="Set properties.disable_local_auth=True; clients use their identity and a role",
    source=f"{_LEARN}/ai-services/disable-local-auth",
)
def openai_takes_no_keys(account: Resource) -> Faults:
    """Azure OpenAI takes Entra tokens only."""
    yield from require(account, "properties.disableLocalAuth", True)


@resource_rule(
    "azure-native:eventgrid:Topic",
    "azure-native:eventgrid:Domain",
    remedy="Set disable_local_auth=True; publishers use their identity and EventGrid Data Sender",
    source=f"{_LEARN}/event-grid/authenticate-with-microsoft-entra-id",
)
def event_topics_take_no_keys(topic: Resource) -> Faults:
    """Event Grid topics take Entra tokens only."""
    yield from require(topic, "disableLocalAuth", True)


@resource_rule(
    "azure-native:applicationinsights:Component",
    remedy="Set disable_local_auth=True; the SDKs send telemetry with their identity",
    source=f"{_LEARN}/azure-monitor/app/azure-ad-authentication",
)
def telemetry_takes_no_keys(component: Resource) -> Faults:
    """Application Insights takes telemetry from Entra identities only."""
    yield from require(component, "disableLocalAuth", True)


@resource_rule(
    "azure-native:operationalinsights:Workspace",
    remedy="Set features.disable_local_auth=True; agents and diagnostic settings need no workspace key",
    source=f"{_LEARN}/azure-monitor/logs/data-security",
)
def logs_take_no_keys(workspace: Resource) -> Faults:
    """Log Analytics workspaces have no shared keys."""
    yield from require(workspace, "features.disableLocalAuth", True)


@resource_rule(
    "azure-native:storage:StorageAccount",
    remedy="Set allow_shared_key_access=False; clients use their identity and a data role",
    source=f"{_LEARN}/storage/common/shared-key-authorization-prevent",
)
def storage_takes_no_keys(account: Resource) -> Faults:
    """Storage accounts take Entra tokens only, no shared keys and no local users."""
    yield from require(account, "allowSharedKeyAccess", False)
    yield from require(account, "isLocalUserEnabled", False, None)


@resource_rule(
    "azure-native:containerregistry:Registry",
    remedy="Leave admin_user_enabled and anonymous_pull_enabled off; grant AcrPull and AcrPush",
    source=f"{_LEARN}/container-registry/container-registry-authentication#admin-account",
)
def registries_have_no_admin(registry: Resource) -> Faults:
    """Container registries have neither an admin account nor anonymous pulls."""
    yield from require(registry, "adminUserEnabled", False, None)
    yield from require(registry, "anonymousPullEnabled", False, None)


@resource_rule(
    "azure-native:sql:Server",
    remedy="Set administrators with azure_ad_only_authentication=True, and no administrator_login",
    source=f"{_LEARN}/azure-sql/database/authentication-azure-ad-only-authentication",
)
def sql_takes_no_passwords(server: Resource) -> Faults:
    """Azure SQL takes Entra tokens only, from its first second on."""
    yield from require(server, "administrators.azureADOnlyAuthentication", True)
    for path in ("administratorLogin", "administratorLoginPassword"):
        if server.get(path) is not None:
            yield f"{path} is set; a server that takes only tokens has none"


@resource_rule(
    "azure-native:dashboard:Grafana",
    remedy="Leave properties.api_key Disabled; use service principals with a Grafana role",
    source=f"{_LEARN}/managed-grafana/how-to-service-accounts",
)
def grafana_takes_no_keys(grafana: Resource) -> Faults:
    """Managed Grafana has no API keys."""
    yield from require(grafana, "properties.apiKey", "Disabled", None)
