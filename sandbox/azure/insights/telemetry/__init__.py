"""Application Insights' data planes: telemetry taken in, kept in DuckDB, asked for in KQL."""

from __future__ import annotations

from pathlib import Path

from sandbox.azure.insights.telemetry import naming
from sandbox.azure.insights.telemetry.questions import Questions
from sandbox.azure.insights.telemetry.track import Ingestion
from sandbox.azure.insights.telemetry.warehouse import Warehouse
from sandbox.services import Services

_WAREHOUSES: dict[Path, Warehouse] = {}


def mount(services: Services) -> None:
    """Serve what is sent and what is asked; the file is opened here, once."""
    warehouse = Warehouse(services.config.state / "insights" / "telemetry.duckdb")
    _WAREHOUSES[services.config.state] = warehouse
    questions = Questions(services, warehouse)
    services.router.mount(f"*.{naming.ingestion_domain(services.names)}", Ingestion(services, warehouse))
    for host in naming.application_hosts(services.names):
        services.router.mount(host, questions.applications())
    for host in naming.workspace_hosts(services.names):
        services.router.mount(host, questions.workspaces())


def publish(services: Services) -> None:
    """The names that are there without any resource."""
    for host in (*naming.application_hosts(services.names), *naming.workspace_hosts(services.names)):
        services.hosts.publish(host)


def stop(services: Services) -> None:
    found = _WAREHOUSES.pop(services.config.state, None)
    if found is not None:
        found.close()
