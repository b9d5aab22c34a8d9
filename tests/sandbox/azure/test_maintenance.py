"""Maintenance windows of AKS: names, schedules and their bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.maintenance import MaintenanceHandler
from tests.sandbox.azure.conftest import World

CLUSTER = "Microsoft.ContainerService/managedClusters/one/maintenanceConfigurations"
PATH = f"{CLUSTER}/aksManagedAutoUpgradeSchedule"


def window(schedule: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    weekly = {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}}
    found = {"schedule": schedule or weekly, "durationHours": 4, "startTime": "02:00", **changes}
    return {"properties": {"maintenanceWindow": found}}


def test_a_window_with_its_defaults(world: World) -> None:
    made = world.put(MaintenanceHandler, PATH, window()).properties["maintenanceWindow"]
    assert made["utcOffset"] == "+00:00"
    assert made["startDate"] == datetime.now(UTC).date().isoformat()
    world.put(MaintenanceHandler, f"{CLUSTER}/default", {"properties": {"timeInWeek": [{"hourSlots": [1]}]}})


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"properties": {}}, "maintenanceWindow"),
        (window({}), None),
        (window({"daily": {"intervalDays": 1}, "weekly": {}}), "schedule"),
        (window({"daily": {"intervalDays": 8}}), "schedule.daily.intervalDays"),
        (window(durationHours=3), "durationHours"),
        (window(startTime="2:00"), "startTime"),
        (window(utcOffset="01:00"), "utcOffset"),
        (window(startDate="2026-02-30"), "startDate"),
        (window(notAllowedDates=[{"start": "2026-12-24", "end": "later"}]), "notAllowedDates[0].end"),
    ],
)
def test_what_is_refused(world: World, body: dict[str, Any], target: str | None) -> None:
    if target is None:
        body["properties"]["maintenanceWindow"]["schedule"] = {}
    with pytest.raises(ArmError) as refused:
        world.put(MaintenanceHandler, PATH, body)
    assert str(refused.value.target).endswith(target or "schedule")
