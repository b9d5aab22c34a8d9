"""`Microsoft.ContainerService/managedClusters/maintenanceConfigurations`: when AKS may change a cluster."""

from __future__ import annotations

import copy
import re
from datetime import UTC, date, datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body

#: The one that AKS's own weekly releases keep to; the others are for upgrades of a cluster and its nodes.
#: https://learn.microsoft.com/azure/aks/planned-maintenance
_DEFAULT = "default"
_KINDS = ("absoluteMonthly", "daily", "relativeMonthly", "weekly")
_BOUNDS = {
    "intervalDays": (1, 7),
    "intervalWeeks": (1, 4),
    "intervalMonths": (1, 6),
    "dayOfMonth": (1, 31),
}
_SHORTEST, _LONGEST = 4, 24
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")


class MaintenanceHandler(Handler):
    type = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations"

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        window = properties.get("maintenanceWindow")
        if window is not None:
            _check_window(window)
            if any(properties.get(name) for name in ("timeInWeek", "notAllowedTime")):
                raise _invalid("'maintenanceWindow' excludes 'timeInWeek' and 'notAllowedTime'.", "")
        elif put.id.name.lower() != _DEFAULT:
            raise _invalid(
                f"The configuration '{put.id.name}' needs a maintenance window.", "maintenanceWindow"
            )
        for number, entry in enumerate(properties.get("timeInWeek") or ()):
            if any(not 0 <= hour <= 23 for hour in entry.get("hourSlots") or ()):
                raise _invalid("Hours go from 0 to 23.", f"timeInWeek[{number}].hourSlots")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        window = (body.get("properties") or {}).get("maintenanceWindow")
        if window is not None:
            before = (put.previous.properties if put.previous else {}).get("maintenanceWindow") or {}
            window.setdefault("utcOffset", "+00:00")
            window.setdefault("startDate", before.get("startDate") or datetime.now(UTC).date().isoformat())
        return body


def _check_window(window: dict[str, Any]) -> None:
    path = "maintenanceWindow"
    kinds = [kind for kind in _KINDS if window["schedule"].get(kind) is not None]
    if len(kinds) != 1:
        raise _invalid(f"A schedule has one of {', '.join(_KINDS)}.", f"{path}.schedule")
    for name, value in window["schedule"][kinds[0]].items():
        least, most = _BOUNDS.get(name, (None, None))
        if least is not None and most is not None and not least <= value <= most:
            raise _invalid(
                f"'{name}' is from {least} to {most}, not {value}.", f"{path}.schedule.{kinds[0]}.{name}"
            )
    if not _SHORTEST <= window["durationHours"] <= _LONGEST:
        raise _invalid(f"A window lasts {_SHORTEST} to {_LONGEST} hours.", f"{path}.durationHours")
    if not _TIME.fullmatch(window["startTime"]):
        raise _invalid(f"'{window['startTime']}' is no time such as 02:00.", f"{path}.startTime")
    if window.get("utcOffset") is not None and not _OFFSET.fullmatch(window["utcOffset"]):
        raise _invalid(f"'{window['utcOffset']}' is no offset such as +01:00.", f"{path}.utcOffset")
    for name, text in (("startDate", window.get("startDate")), *_days(window)):
        if text is None:
            continue
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise _invalid(f"'{text}' is no date such as 2026-01-31.", f"{path}.{name}") from error


def _days(window: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"notAllowedDates[{number}].{name}", entry[name])
        for number, entry in enumerate(window.get("notAllowedDates") or ())
        for name in ("start", "end")
    ]


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("InvalidParameter", message, f"properties.{path}".rstrip("."))


HANDLERS = (MaintenanceHandler,)
