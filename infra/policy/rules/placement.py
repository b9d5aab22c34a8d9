"""Where resources are, and what they say of themselves."""

from collections.abc import Iterator
from typing import get_args

from infra.policy.model import Resource
from infra.policy.production import is_production, is_production_environment
from infra.policy.rule import Faults, resource_rule
from infra.settings.types import Region

REGIONS = frozenset(get_args(Region))
TAGS = ("application", "environment", "managed-by")
TAGGABLE = (
    "azure-native:applicationinsights:Component",
    "azure-native:cognitiveservices:Account",
    "azure-native:containerregistry:Registry",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:dashboard:Grafana",
    "azure-native:eventgrid:Topic",
    "azure-native:keyvault:Vault",
    "azure-native:managedidentity:UserAssignedIdentity",
    "azure-native:monitor:ActionGroup",
    "azure-native:monitor:AzureMonitorWorkspace",
    "azure-native:network:NatGateway",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:PrivateEndpoint",
    "azure-native:network:PublicIPAddress",
    "azure-native:network:VirtualNetwork",
    "azure-native:operationalinsights:Workspace",
    "azure-native:resources:ResourceGroup",
    "azure-native:sql:Database",
    "azure-native:sql:Server",
    "azure-native:storage:StorageAccount",
)
_LEARN = "https://learn.microsoft.com/azure"


@resource_rule(
    *TAGGABLE,
    remedy="Pass tags=place.tags",
    source=f"{_LEARN}/cloud-adoption-framework/ready/azure-best-practices/resource-tagging",
)
def resources_are_tagged(resource: Resource) -> Faults:
    """Every resource says what it belongs to, which environment it is of and who manages it."""
    missing = [tag for tag in TAGS if not resource.get(f"tags.{tag}")]
    if missing:
        yield f"it lacks the tags {', '.join(missing)}"


@resource_rule(
    remedy=f"Use one of {', '.join(sorted(REGIONS))}",
    source=f"{_LEARN}/reliability/regions-overview",
)
def resources_stay_in_allowed_regions(resource: Resource) -> Faults:
    """Data and compute stay in the regions that the platform is allowed in."""
    if not resource.type.startswith("azure-native:"):
        return
    for region in _regions(resource):
        if region.replace(" ", "").lower() not in REGIONS | {"global"}:
            yield f"it is in {region}"


def _regions(resource: Resource) -> Iterator[str]:
    """Its own, and for Cosmos DB those of its copies."""
    found = [resource.get("location")]
    if resource.type == "azure-native:cosmosdb:DatabaseAccount":
        found += [copy.get("locationName") for copy in resource.all("locations")]
    yield from (region for region in found if isinstance(region, str))


@resource_rule(
    "azure-native:resources:ResourceGroup",
    remedy="Call the stack prod or prod-…, or change the environment's name",
    source="docs/adr/0007-policies-know-production-by-its-name.md",
)
def production_is_called_so(group: Resource) -> Faults:
    """A production environment is deployed by a stack whose name says so: rules for it hang on that."""
    tag = group.get("tags.environment")
    if isinstance(tag, str) and is_production_environment(tag) and not is_production(group.stack):
        yield f"stack {group.stack} deploys environment {tag}"
