"""What the azure-native provider sends to ARM for a resource: its own code at work, its requests noted."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.engine.azure_native.arm_client import ArmClient
from sandbox.engine.azure_native.auth import Tokens
from sandbox.engine.azure_native.crud import Resource
from sandbox.engine.azure_native.journal import Journal
from sandbox.types.armtype import ArmType

Body = dict[str, Any]


@dataclass(frozen=True)
class Deployed:
    """A resource of a deployed stack, with the inputs that the stack's state has of it."""

    urn: str
    row: ArmType
    id: str
    inputs: Mapping[str, Any]

    def created(self) -> Body:
        """The body of the PUT that makes it, sent to an ARM that has nothing yet and takes everything."""
        notes = _Notes()
        stored: list[Body] = []

        def arm(request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                stored.append(json.loads(request.content))
            return httpx.Response(200, json=stored[-1]) if stored else httpx.Response(404)

        with (
            httpx.Client(transport=httpx.MockTransport(arm), event_hooks=notes.hooks) as http,
            tempfile.TemporaryDirectory() as folder,
        ):
            client = ArmClient(http, "https://arm.invalid", _Bearer("none"))
            self._resource(client).create(dict(self.inputs), Journal(Path(folder) / "notes"), self.urn)
        return notes.put()

    def updated(self, http: httpx.Client, url: str, token: str) -> Body:
        """The body of the PUT that sets it to what it is already, sent to the ARM at `url` and followed to
        its end there."""
        notes = _Notes()
        http.event_hooks = notes.hooks
        try:
            self._resource(ArmClient(http, url, _Bearer(token))).update(dict(self.inputs))
        finally:
            http.event_hooks = {}
        return notes.put()

    def _resource(self, client: ArmClient) -> Resource:
        return Resource(self.row, self.id, client, self.row.api_version)


class _Notes:
    """Bodies of the PUTs that a client made."""

    def __init__(self) -> None:
        self._puts: list[Body] = []
        self.hooks = {"request": [self._note]}

    def _note(self, request: httpx.Request) -> None:
        if request.method == "PUT":
            self._puts.append(json.loads(request.content))

    def put(self) -> Body:
        """The one body that was sent; repeated requests repeat it."""
        assert self._puts
        assert all(body == self._puts[0] for body in self._puts)
        return self._puts[0]


class _Bearer(Tokens):
    """A token that is had already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self, audience: str | None = None) -> str:
        return self._token

    def forget(self) -> None:
        """There is no other."""
