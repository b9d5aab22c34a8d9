"""Application Insights components: where to send telemetry, and what stays."""

from __future__ import annotations

import pytest

from tests.sandbox.azure.insights.conftest import COMPONENT, Arm

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_says_where_to_send_telemetry_to(arm: Arm, workspace: str) -> None:
    wanted = {"Application_Type": "web", "WorkspaceResourceId": workspace}
    made = (await arm.put(COMPONENT, wanted, kind="web"))["properties"]
    assert made["ConnectionString"] == (
        f"InstrumentationKey={made['InstrumentationKey']};"
        "IngestionEndpoint=https://westeurope.in.applicationinsights.azure.test/;"
        "LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.test/;"
        "AADAudience=https://monitor.azure.test/;"
        f"ApplicationId={made['AppId']}"
    )
    assert (made["RetentionInDays"], made["IngestionMode"]) == (90, "LogAnalytics")
    again = (await arm.put(COMPONENT, {**wanted, "DisableLocalAuth": True}, kind="web"))["properties"]
    for name in ("AppId", "InstrumentationKey", "ConnectionString", "CreationDate"):
        assert again[name] == made[name]


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"WorkspaceResourceId": None}, "properties.WorkspaceResourceId"),
        ({"WorkspaceResourceId": f"{COMPONENT}"}, "properties.WorkspaceResourceId"),
        ({"RetentionInDays": 45}, "properties.RetentionInDays"),
        ({"SamplingPercentage": 0}, "properties.SamplingPercentage"),
        ({"InstrumentationKey": "mine"}, "properties.InstrumentationKey"),
    ],
)
async def test_what_is_refused(arm: Arm, workspace: str, properties: dict[str, object], target: str) -> None:
    wanted = {"Application_Type": "web", "WorkspaceResourceId": workspace, **properties}
    assert await arm.refused(COMPONENT, wanted, kind="web") == (400, target)
