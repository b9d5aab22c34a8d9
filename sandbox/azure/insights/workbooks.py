"""`Microsoft.Insights/workbooks`: interactive reports, kept as JSON."""

from __future__ import annotations

import copy
import json
import uuid
from datetime import UTC, datetime

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body


class WorkbookHandler(Handler):
    type = "Microsoft.Insights/workbooks"

    async def check(self, put: Put) -> None:
        try:
            json.loads(put.body["properties"]["serializedData"])
        except ValueError as error:
            raise bad_request(
                "BadRequest", f"The workbook is no JSON: {error}.", "properties.serializedData"
            ) from error

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body.setdefault("kind", "shared")
        body["properties"] = {
            "version": "Notebook/1.0",
            "sourceId": "azure monitor",
            **{key: value for key, value in body["properties"].items() if value is not None},
            "timeModified": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "userId": put.principal.object_id,
            "revision": uuid.uuid4().hex,
        }
        return body
