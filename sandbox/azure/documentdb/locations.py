"""Where Cosmos DB accounts may be: every region of this Azure, in zones too.

https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/locations
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import ALL, normalise
from sandbox.arm.resource import Body


class LocationHandler(Handler):
    type = "Microsoft.DocumentDB/locations"

    def operations(self) -> Sequence[Operation]:
        path, action = f"/subscriptions/{{subscription}}/providers/{self.type}", f"{self.type}/read"
        return (
            Operation("GET", path, action, self._list),
            Operation("GET", f"{path}/{{location}}", action, self._get),
        )

    async def _list(self, call: OperationCall) -> Answer:
        return Answer(body={"value": [_wire(call.parameters["subscription"], region) for region in ALL]})

    async def _get(self, call: OperationCall) -> Answer:
        region = normalise(call.parameters["location"])
        if region not in ALL:
            raise ArmError(404, "NotFound", f"There is no location '{call.parameters['location']}'.")
        return Answer(body=_wire(call.parameters["subscription"], region))


def _wire(subscription: str, region: str) -> Body:
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.DocumentDB/locations/{region}",
        "type": "Microsoft.DocumentDB/locations",
        "name": region,
        "properties": {
            "supportsAvailabilityZone": True,
            "isResidencyRestricted": False,
            "backupStorageRedundancies": ["Local", "Zone", "Geo"],
            "isSubscriptionRegionAccessAllowedForRegular": True,
            "isSubscriptionRegionAccessAllowedForAz": True,
            "status": "Online",
        },
    }
