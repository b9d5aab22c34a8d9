"""Service objectives: what a database may be sized as, and what Azure makes of what was sent.

Source: https://learn.microsoft.com/azure/azure-sql/database/resource-limits-vcore-single-databases and
…/resource-limits-dtu-single-databases. Sizes are stored, and do not limit the instance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body

_GIB = 1024**3
_VCORE = re.compile(r"(GP_S|GP|BC|HS_S|HS)_(Gen5|Fsv2|DC|PRMS|MOPRMS)(?:_(\d+))?")
_TIERS = {
    "GP": "GeneralPurpose",
    "GP_S": "GeneralPurpose",
    "BC": "BusinessCritical",
    "HS": "Hyperscale",
    "HS_S": "Hyperscale",
}
_VCORES = {1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 40, 80, 128}
#: DTU objectives: name -> (tier, DTUs, default and largest size in GiB).
_DTU: Mapping[str, tuple[str, int, int, int]] = {
    "Basic": ("Basic", 5, 2, 2),
    **{
        f"S{number}": ("Standard", dtu, 250, 250 if number < 3 else 1024)
        for number, dtu in {0: 10, 1: 20, 2: 50, 3: 100, 4: 200, 6: 400, 7: 800, 9: 1600, 12: 3000}.items()
    },
    **{
        f"P{number}": ("Premium", dtu, 500 if number < 11 else 1024, 1024 if number < 11 else 4096)
        for number, dtu in {1: 125, 2: 250, 4: 500, 6: 1000, 11: 1750, 15: 4000}.items()
    },
}
_TIER_NAMES = {"Basic": "Basic", "Standard": "S0", "Premium": "P1"}
_TIER_NAMES |= {tier: f"{prefix}_Gen5_2" for prefix, tier in _TIERS.items() if not prefix.endswith("_S")}
_DEFAULT = "GP_Gen5_2"


@dataclass(frozen=True)
class Objective:
    """One service objective. Sizes in bytes."""

    name: str
    tier: str
    capacity: int
    family: str | None
    default_size: int
    largest_size: int

    @property
    def serverless(self) -> bool:
        return "_S_" in self.name

    @property
    def zone_redundant(self) -> bool:
        """Whether it can be spread over availability zones."""
        return self.family is not None or self.tier == "Premium"

    @property
    def sku(self) -> Body:
        """As ARM answers it: the objective's name without the capacity, which stands beside it."""
        if self.family is None:
            name = self.name if self.tier == "Basic" else self.tier
            return {"name": name, "tier": self.tier, "capacity": self.capacity}
        name = self.name.rpartition("_")[0]
        return {"name": name, "tier": self.tier, "family": self.family, "capacity": self.capacity}

    @property
    def kind(self) -> str:
        if self.family is None:
            return "v12.0,user"
        return f"v12.0,user,vcore{',serverless' if self.serverless else ''}"


#: What `master` runs as.
SYSTEM = Objective("System0", "System", 0, None, 30 * _GIB, 30 * _GIB)


def of(sku: Mapping[str, Any] | None) -> Objective:
    """The objective that a `sku` means. Raises ArmError 400 for one that there is not."""
    sent = {key: value for key, value in (sku or {}).items() if value is not None}
    name = str(sent.get("name") or _TIER_NAMES.get(str(sent.get("tier")), _DEFAULT))
    capacity = sent.get("capacity")
    # `Standard` with a capacity of 20 is S1.
    if name in _TIER_NAMES:
        fitting = [one for one, row in _DTU.items() if row[0] == name and capacity in (None, row[1])]
        name = fitting[0] if fitting else f"{name} with capacity {capacity}"
    if name in _DTU:
        tier, dtu, default, largest = _DTU[name]
        return _checked(Objective(name, tier, dtu, None, default * _GIB, largest * _GIB), sent)
    match = _VCORE.fullmatch(name)
    if match is None:
        raise _unknown(name)
    prefix, family, vcores = match.groups()
    cores = int(vcores or capacity or 2)
    if cores not in _VCORES or (cores == 1 and not prefix.endswith("_S")):
        raise _unknown(f"{prefix}_{family}_{cores}")
    full = f"{prefix}_{family}_{cores}"
    largest = 100 * 1024 * _GIB if prefix.startswith("HS") else 4096 * _GIB
    return _checked(Objective(full, _TIERS[prefix], cores, family, 32 * _GIB, largest), sent)


def size(objective: Objective, sent: Any) -> int:
    """Bytes that the database may have. Raises ArmError 400 for more than the objective allows."""
    wanted = objective.default_size if sent is None else int(sent)
    if not 0 < wanted <= objective.largest_size:
        raise bad_request(
            "InvalidMaxSizeTierCombination",
            f"The tier '{objective.tier}' does not support the database max size '{wanted}' (at most "
            f"{objective.largest_size} bytes for {objective.name}).",
            "properties.maxSizeBytes",
        )
    return wanted


def _checked(objective: Objective, sent: Mapping[str, Any]) -> Objective:
    """Tier, family and capacity beside a name must say the same."""
    own = {"tier": objective.tier, "family": objective.family, "capacity": objective.capacity}
    for part, value in own.items():
        if part in sent and sent[part] != value:
            raise bad_request(
                "InvalidSkuName",
                f"The sku name '{sent.get('name')}' has the {part} '{value}', not '{sent[part]}'.",
                f"sku.{part}",
            )
    return objective


def _unknown(name: str) -> Exception:
    return bad_request("InvalidSkuName", f"Invalid SKU name '{name}'.", "sku.name")
