"""`python -m benchmarks.load.stubs.cloud PORT CERTIFICATE`: Entra ID, Cosmos DB, Event Grid, Storage's queue.

Over TLS: Azure's clients insist on it before they send a token.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.stubs import entra
from benchmarks.load.stubs.cosmos import Account
from benchmarks.load.stubs.events import Events
from benchmarks.load.stubs.http import Answer, Request, answer_json, serve


@dataclass
class Cloud:
    account: Account = field(default_factory=Account)
    events: Events = field(default_factory=Events)

    async def handle(self, request: Request) -> Answer:
        for service in (self.account.handle, self.events.handle, entra.handle):
            if (answer := service(request)) is not None:
                return answer
        return answer_json({"code": "NotFound", "message": f"nothing at {request.path}"}, 404)


if __name__ == "__main__":
    serve(Cloud().handle, int(sys.argv[1]), Path(sys.argv[2]))
