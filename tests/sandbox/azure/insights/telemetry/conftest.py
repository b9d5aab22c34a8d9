"""Two components in a workspace and one in another, behind the real HTTPS server; Entra tokens are fakes."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.arm.resource import Resource
from sandbox.azure.insights import telemetry
from sandbox.azure.insights.components import ComponentHandler
from sandbox.azure.insights.telemetry.access import QUERY_COMPONENT, QUERY_WORKSPACE, TABLES, WRITE
from sandbox.azure.operationalinsights.workspaces import WorkspaceHandler
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import World, make_world, serving

TIME = "2026-11-28T17:41:27.486202Z"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Insights:
    world: World
    component: Resource
    neighbour: Resource
    elsewhere: Resource
    http: httpx.Client

    @property
    def key(self) -> str:
        return str(self.component.properties["InstrumentationKey"])

    @property
    def connection_string(self) -> str:
        return str(self.component.properties["ConnectionString"])

    @property
    def application(self) -> str:
        return str(self.component.properties["AppId"])

    @property
    def workspace(self) -> Resource:
        found = self.world.store.get(str(self.component.properties["WorkspaceResourceId"]))
        assert found is not None
        return found

    def send(self, *items: Any, who: str | None = "sender", **options: Any) -> httpx.Response:
        headers = {**options.pop("headers", {})}
        if who is not None:
            token = fakes.token(who, options.pop("audience", "https://monitor.azure.test/"))
            headers["authorization"] = f"Bearer {token}"
        path = options.pop("path", "/v2.1/track")
        url = f"https://westeurope.in.applicationinsights.azure.test:{self.world.port}{path}"
        body = options or {"json": list(items)}
        return self.http.post(url, headers=headers, **body)

    def ask(
        self, question: str, who: str = "reader", application: str | None = None, **more: Any
    ) -> httpx.Response:
        audience = "https://api.applicationinsights.azure.test"
        url = f"{audience}:{self.world.port}/v1/apps/{application or self.application}/query"
        headers = {"authorization": f"Bearer {fakes.token(who, audience)}"}
        return self.http.post(url, json={"query": question, **more}, headers=headers)

    def ask_workspace(self, question: str, who: str = "reader") -> httpx.Response:
        audience = "https://api.loganalytics.azure.test"
        customer = self.workspace.properties["customerId"]
        url = f"{audience}:{self.world.port}/v1/workspaces/{customer}/query"
        headers = {"authorization": f"Bearer {fakes.token(who, audience)}"}
        return self.http.post(url, json={"query": question}, headers=headers)

    def rows(self, question: str, **options: Any) -> list[dict[str, Any]]:
        answer = self.ask(question, **options)
        assert answer.status_code == 200, answer.text
        return table(answer)


def table(answer: httpx.Response) -> list[dict[str, Any]]:
    (found,) = answer.json()["tables"]
    assert found["name"] == "PrimaryResult"
    names = [column["name"] for column in found["columns"]]
    return [dict(zip(names, row, strict=True)) for row in found["rows"]]


def item(key: str, base_type: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    tags = {
        "ai.operation.id": TRACE,
        "ai.operation.name": "NotificationAgent.Execute",
        "ai.cloud.role": "notification-agent",
    }
    return {
        "name": "Microsoft.ApplicationInsights",
        "time": TIME,
        "iKey": key,
        "tags": tags,
        "data": {"baseType": base_type, "baseData": {"ver": 2, **data}},
        **more,
    }


def message(key: str, text: str, severity: int = 1, **properties: str) -> dict[str, Any]:
    data = {"message": text, "severityLevel": severity, "properties": properties}
    return item(key, "MessageData", data)


def _component(world: World, workspace: str, name: str) -> Resource:
    body = {
        "location": "westeurope",
        "properties": {"WorkspaceResourceId": workspace, "DisableLocalAuth": True},
    }
    return world.put(ComponentHandler, f"Microsoft.Insights/components/{name}", body)


def _workspace(world: World, name: str) -> str:
    path = f"Microsoft.OperationalInsights/workspaces/{name}"
    return world.put(WorkspaceHandler, path, {"location": "westeurope", "properties": {}}).id.text


@pytest.fixture
def insights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Insights]:
    # Where the exporter keeps what it could not send.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    world = make_world(tmp_path)
    telemetry.mount(world.services)
    ours, theirs = _workspace(world, "log-ours"), _workspace(world, "log-theirs")
    component, neighbour = _component(world, ours, "appi-one"), _component(world, ours, "appi-two")
    elsewhere = _component(world, theirs, "appi-three")
    for found in (component, neighbour, elsewhere):
        world.rbac.grant("sender", WRITE, scope=found.id.text)
    world.rbac.grant("reader", QUERY_COMPONENT, scope=component.id.text, data=False)
    world.rbac.grant("reader", QUERY_WORKSPACE, TABLES, scope=ours, data=False)
    with serving(world):
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with httpx.Client(verify=context) as http:
            yield Insights(world, component, neighbour, elsewhere, http)
    telemetry.stop(world.services)


@pytest.fixture
def reopened(insights: Insights) -> Callable[[], None]:
    """Stop the planes and start them again on the same state."""

    def run() -> None:
        telemetry.stop(insights.world.services)
        insights.world.router.apps.clear()
        telemetry.mount(insights.world.services)

    return run
