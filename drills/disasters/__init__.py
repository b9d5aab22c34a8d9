"""The disasters: one module each, which says what is broken and how it is restored."""

from __future__ import annotations

from types import MappingProxyType

from drills.disasters.cluster_loss import ClusterLoss
from drills.disasters.data_deleted import AccountDeleted, DatabaseDeleted
from drills.disasters.geo_restore import GeoRestore
from drills.disasters.group_deleted import GroupDeleted
from drills.disasters.point_in_time import PointInTime
from drills.disasters.region_loss import RegionLoss, RegionLossBehind
from drills.disasters.state_lost import StateLost
from drills.disasters.vault_deleted import VaultDeleted
from drills.drill import Drill

_ALL: tuple[Drill, ...] = (
    PointInTime(),
    ClusterLoss(),
    VaultDeleted(),
    AccountDeleted(),
    DatabaseDeleted(),
    StateLost(),
    GroupDeleted(),
    RegionLoss(),
    RegionLossBehind(),
    GeoRestore(),
)

#: By name, in the order in which all of them run.
DRILLS: MappingProxyType[str, Drill] = MappingProxyType({drill.name: drill for drill in _ALL})
