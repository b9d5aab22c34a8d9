"""Where telemetry is sent to and asked for, and which resource is meant."""

from __future__ import annotations

from sandbox.arm.resource import Resource
from sandbox.names import Names
from sandbox.services import Store

COMPONENT = "Microsoft.Insights/components"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"


def ingestion_domain(names: Names) -> str:
    """What the regions' endpoints lie below."""
    return f"in.applicationinsights.{names.suffix}"


def ingestion_host(names: Names, region: str) -> str:
    return f"{region}.{ingestion_domain(names)}"


def application_hosts(names: Names) -> tuple[str, ...]:
    """The query API of components: Azure's name for it, and the metadata document's."""
    return names.service("api.applicationinsights"), names.service("applicationinsights")


def workspace_hosts(names: Names) -> tuple[str, ...]:
    """The query API of workspaces, likewise."""
    return names.service("api.loganalytics"), names.service("loganalytics")


def audience(names: Names) -> str:
    """What tokens of those who send are made out to."""
    return f"https://monitor.{names.suffix}/"


def component_with(store: Store, name: str, value: str) -> Resource | None:
    """The component with that value of a property, such as its instrumentation key."""
    return next((one for one in store.list(type=COMPONENT) if _is(one, name, value)), None)


def workspace_with(store: Store, customer: str) -> Resource | None:
    """The workspace that goes by an id of its own (`customerId`)."""
    return next((one for one in store.list(type=WORKSPACE) if _is(one, "customerId", customer)), None)


def workspace_key(component: Resource) -> str:
    """The key of the workspace that holds a component's data."""
    return "/" + str(component.properties["WorkspaceResourceId"]).strip("/").lower()


def _is(resource: Resource, name: str, value: str) -> bool:
    return str(resource.properties.get(name, "")).lower() == value.lower()
