"""Microsoft.Compute, as far as it is asked here: the machine sizes of a region, and its quotas.

No machine is made: AKS's nodes are processes of this one, whatever their size. So the quotas are listed, with
what the clusters' pools take of them, and hold nobody back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.filters import parse_filter
from sandbox.arm.handler import Handler
from sandbox.arm.ids import parent
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import ALL, normalise
from sandbox.arm.resource import Body

#: Cores of a region, of all families together and of each.
REGIONAL_LIMIT = 350
FAMILY_LIMIT = 200
_ZONES = ("1", "2", "3")
_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.Compute"
_POOLS = "Microsoft.ContainerService/managedClusters/agentPools"


@dataclass(frozen=True)
class Family:
    """One series: `Standard_D<cores><letters>`, each with so many GiB of memory per core.

    `title` is how its quota is called.
    """

    name: str
    title: str
    letters: str
    memory: int
    local_disk: bool
    cores: tuple[int, ...] = (2, 4, 8, 16, 32)

    def size(self, cores: int) -> str:
        return f"Standard_{self.letters[0]}{cores}{self.letters[1:]}"


#: https://learn.microsoft.com/azure/virtual-machines/sizes/overview
FAMILIES = (
    Family("standardDADSv5Family", "Standard DADSv5 Family vCPUs", "Dads_v5", 4, local_disk=True),
    Family("standardDASv5Family", "Standard DASv5 Family vCPUs", "Das_v5", 4, local_disk=False),
    Family("standardDDSv5Family", "Standard DDSv5 Family vCPUs", "Dds_v5", 4, local_disk=True),
    Family("standardDSv5Family", "Standard DSv5 Family vCPUs", "Ds_v5", 4, local_disk=False),
    Family("standardEADSv5Family", "Standard EADSv5 Family vCPUs", "Eads_v5", 8, local_disk=True),
    Family("standardESv5Family", "Standard ESv5 Family vCPUs", "Es_v5", 8, local_disk=False),
)
_OF_SIZE = {family.size(cores).lower(): (family, cores) for family in FAMILIES for cores in family.cores}


class SkuHandler(Handler):
    """https://learn.microsoft.com/rest/api/compute/resource-skus/list"""

    type = "Microsoft.Compute/skus"

    def operations(self) -> Sequence[Operation]:
        return (Operation("GET", f"{_PROVIDER}/skus", f"{self.type}/read", self._list),)

    async def _list(self, call: OperationCall) -> Answer:
        regions = list(ALL)
        text = call.query.get("$filter", "").strip()
        for term in parse_filter(text) if text else ():
            if term.field != "location" or term.operator != "eq":
                raise bad_request("BadRequest", "Only a filter like location eq 'westeurope' is supported.")
            regions = [region for region in regions if region == normalise(term.value)]
        listed = [
            _sku(family, cores, region) for region in regions for family in FAMILIES for cores in family.cores
        ]
        return Answer(body={"value": listed})


class UsageHandler(Handler):
    """https://learn.microsoft.com/rest/api/compute/usage/list"""

    type = "Microsoft.Compute/locations/usages"

    def operations(self) -> Sequence[Operation]:
        path = f"{_PROVIDER}/locations/{{location}}/usages"
        return (Operation("GET", path, f"{self.type}/read", self._list),)

    async def _list(self, call: OperationCall) -> Answer:
        region = normalise(call.parameters["location"])
        if region not in ALL:
            raise ArmError(
                404, "NoRegisteredProviderFound", f"There is no Microsoft.Compute in location '{region}'."
            )
        used: Counter[str] = Counter()
        for family, cores in self._nodes(region):
            used[family.name] += cores
        quotas = [
            _usage("cores", "Total Regional vCPUs", used.total(), REGIONAL_LIMIT),
            *(_usage(one.name, one.title, used[one.name], FAMILY_LIMIT) for one in FAMILIES),
        ]
        return Answer(body={"value": quotas})

    def _nodes(self, region: str) -> Iterator[tuple[Family, int]]:
        """Family and cores of every pool in the region; what its machines have in Azure."""
        store = self.services.store
        for pool in store.list(type=_POOLS):
            above = parent(pool.id)
            cluster = store.get(above) if above is not None else None
            known = _OF_SIZE.get(str(pool.properties.get("vmSize", "")).lower())
            if cluster is not None and known is not None and normalise(cluster.location or "") == region:
                family, cores = known
                yield family, cores * int(pool.properties.get("count") or 0)


def _sku(family: Family, cores: int, region: str) -> Body:
    name = family.size(cores)
    capabilities = {
        "vCPUs": cores,
        "MemoryGB": cores * family.memory,
        "MaxResourceVolumeMB": cores * 37_500 if family.local_disk else 0,
        "PremiumIO": True,
        "AcceleratedNetworkingEnabled": True,
        "HyperVGenerations": "V1,V2",
        "CpuArchitectureType": "x64",
    }
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": name.removeprefix("Standard_"),
        "family": family.name,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": list(_ZONES), "zoneDetails": []}],
        "capabilities": [{"name": key, "value": str(value)} for key, value in capabilities.items()],
        "restrictions": [],
    }


def _usage(name: str, title: str, used: int, limit: int) -> Body:
    return {
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": title},
    }


HANDLERS = (SkuHandler, UsageHandler)
