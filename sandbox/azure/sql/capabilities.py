"""What a region offers of Azure SQL: the service objectives a database may have.

https://learn.microsoft.com/rest/api/sql/capabilities/list-by-location
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import ALL, display_name, normalise
from sandbox.arm.resource import Body
from sandbox.azure.sql import skus
from sandbox.azure.sql.skus import Objective

#: Of those that `skus` takes, the ones most in use.
_LISTED = (
    *("Basic", "S0", "S1", "S2", "S3", "P1", "P2"),
    *(f"GP_Gen5_{cores}" for cores in (2, 4, 8, 16)),
    *(f"GP_S_Gen5_{cores}" for cores in (1, 2, 4, 8)),
    *(f"BC_Gen5_{cores}" for cores in (2, 4, 8, 16)),
    *(f"HS_Gen5_{cores}" for cores in (2, 4, 8, 16)),
)


class CapabilityHandler(Handler):
    type = "Microsoft.Sql/locations/capabilities"

    def operations(self) -> Sequence[Operation]:
        path = "/subscriptions/{subscription}/providers/Microsoft.Sql/locations/{location}/capabilities"
        return (Operation("GET", path, f"{self.type}/read", self._get),)

    async def _get(self, call: OperationCall) -> Answer:
        region = normalise(call.parameters["location"])
        if region not in ALL:
            raise bad_request(
                "InvalidLocation", f"'{call.parameters['location']}' is no location of Azure SQL."
            )
        objectives = [skus.of({"name": name}) for name in _LISTED]
        tiers = dict.fromkeys(one.tier for one in objectives)
        version = {
            "name": "12.0",
            "supportedEditions": [
                _edition(tier, [one for one in objectives if one.tier == tier]) for tier in tiers
            ],
            "status": "Default",
        }
        body = {"name": display_name(region), "supportedServerVersions": [version], "status": "Available"}
        return Answer(body=body)


def _edition(tier: str, objectives: Sequence[Objective]) -> Body:
    return {
        "name": tier,
        "supportedServiceLevelObjectives": [
            {
                "name": one.name,
                "sku": one.sku,
                "zoneRedundant": one.zone_redundant,
                "computeModel": "Serverless" if one.serverless else "Provisioned",
                "status": "Available",
            }
            for one in objectives
        ],
        "zoneRedundant": any(one.zone_redundant for one in objectives),
        "status": "Available",
    }
