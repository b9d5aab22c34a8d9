"""The regions this Azure has, and how their names are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.config import REGIONS


@dataclass(frozen=True)
class Region:
    name: str
    display: str
    geography: str
    paired: str
    latitude: str
    longitude: str


_ALL = (
    Region("westeurope", "West Europe", "Europe", "northeurope", "52.3667", "4.9"),
    Region("northeurope", "North Europe", "Europe", "westeurope", "53.3478", "-6.2597"),
    Region("swedencentral", "Sweden Central", "Europe", "swedensouth", "60.67488", "17.14127"),
    Region("germanywestcentral", "Germany West Central", "Europe", "germanynorth", "50.110924", "8.682127"),
    Region("eastus2", "East US 2", "US", "centralus", "36.6681", "-78.3889"),
    Region("centralus", "Central US", "US", "eastus2", "41.5908", "-93.6208"),
)
ALL: Mapping[str, Region] = {region.name: region for region in _ALL if region.name in REGIONS}
DISPLAY: Mapping[str, str] = {name: region.display for name, region in ALL.items()}


def display_name(location: str) -> str:
    """`westeurope` -> `West Europe`; what is no region stays as it is."""
    return DISPLAY.get(normalise(location), location)


def normalise(location: str) -> str:
    """`West Europe` and `westeurope` are one region."""
    return location.replace(" ", "").lower()
