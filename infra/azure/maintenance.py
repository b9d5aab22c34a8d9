"""Maintenance windows: when AKS may upgrade the cluster and its nodes by itself."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure.place import Place
from infra.settings.sections import MaintenanceSettings

# AKS knows these by name: the cluster's version, and the nodes' images.
# https://learn.microsoft.com/azure/aks/planned-maintenance
SCHEDULES = {"version": "aksManagedAutoUpgradeSchedule", "node-image": "aksManagedNodeOSUpgradeSchedule"}


def maintenance_windows(
    place: Place, cluster: pulumi.Input[str], settings: MaintenanceSettings, opts: pulumi.ResourceOptions
) -> list[aks.MaintenanceConfiguration]:
    """The same weekly window (UTC) for every kind of upgrade."""
    return [
        aks.MaintenanceConfiguration(
            f"{purpose}-upgrades",
            config_name=name,
            resource_name_=cluster,
            resource_group_name=place.resource_group,
            maintenance_window=aks.MaintenanceWindowArgs(
                schedule=aks.ScheduleArgs(
                    weekly=aks.WeeklyScheduleArgs(day_of_week=settings.day, interval_weeks=1)
                ),
                start_time=f"{settings.hour:02}:00",
                duration_hours=settings.duration_hours,
                utc_offset="+00:00",
            ),
            opts=opts,
        )
        for purpose, name in SCHEDULES.items()
    ]
