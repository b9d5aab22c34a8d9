"""What happened to each resource of a deployment: its operations, as `az deployment operation list` shows.

https://learn.microsoft.com/rest/api/resources/deployment-operations/list
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from http import HTTPStatus

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Body
from sandbox.arm.store import timestamp
from sandbox.azure.deployments.items import Item


def duration(seconds: float) -> str:
    """ISO 8601, as ARM writes it."""
    return f"PT{max(seconds, 0):.7f}S"


@dataclass(frozen=True)
class Record:
    """One operation; times in seconds since the epoch, `status` that of HTTP."""

    item: Item
    started_at: float
    ended_at: float = 0
    status: int = 0
    error: ArmError | None = None

    @classmethod
    def begun(cls, item: Item) -> Record:
        return cls(item, time.time())

    def succeeded(self, status: int) -> Record:
        return replace(self, ended_at=time.time(), status=status)

    def failed(self, error: ArmError) -> Record:
        return replace(self, ended_at=time.time(), status=error.status, error=error)

    def wire(self, deployment: str) -> Body:
        """As the deployment with that id shows it."""
        item = self.item
        number = hashlib.sha256(item.id.key.encode()).hexdigest()[:16].upper()
        properties: Body = {
            "provisioningOperation": "Create",
            "provisioningState": "Failed" if self.error else "Succeeded",
            "timestamp": timestamp(self.ended_at),
            "duration": duration(self.ended_at - self.started_at),
            "statusCode": HTTPStatus(self.status).phrase.replace(" ", ""),
            "targetResource": {
                "id": item.id.text,
                "resourceType": item.id.type,
                "resourceName": item.name,
            },
        }
        if self.error is not None:
            properties["statusMessage"] = {"status": "Failed", "error": self.error.body()["error"]}
        return {
            "id": f"{deployment}/operations/{number}",
            "operationId": number,
            "properties": properties,
        }
