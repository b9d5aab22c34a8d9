"""Soft-deleted accounts: kept for two days, restored by a PUT with `restore`, or purged."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import ArmError
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.cognitiveservices.deployed import ACCOUNTS
from sandbox.services import Store

RETENTION_DAYS = 2
_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
_DELETED = _PROVIDER + "/locations/{location}/resourceGroups/{group}/deletedAccounts/{name}"
_ACTION = "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts"


def deleted_by_id(store: Store, id: ResourceId) -> Resource | None:  # noqa: A002
    return next((account for account in store.deleted(ACCOUNTS) if account.id == id), None)


class DeletedAccounts:
    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self) -> Sequence[Operation]:
        listing = "Microsoft.CognitiveServices/deletedAccounts/read"
        return (
            Operation("GET", f"{_PROVIDER}/deletedAccounts", listing, self._list),
            Operation("GET", _DELETED, f"{_ACTION}/read", self._get),
            Operation("DELETE", _DELETED, f"{_ACTION}/delete", self._purge, long_running=True),
        )

    async def _list(self, _call: OperationCall) -> Answer:
        return Answer(body={"value": [_wire(account) for account in self._store.deleted(ACCOUNTS)]})

    async def _get(self, call: OperationCall) -> Answer:
        return Answer(body=_wire(self._find(call)))

    async def _purge(self, call: OperationCall) -> Answer:
        self._store.purge(self._find(call))
        return Answer()

    def _find(self, call: OperationCall) -> Resource:
        wanted = tuple(call.parameters[key].lower() for key in ("location", "group", "name"))
        for account in self._store.deleted(ACCOUNTS):
            place = ((account.location or ""), (account.id.group or ""), account.id.name)
            if tuple(part.lower() for part in place) == wanted:
                return account
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The deleted account '{call.parameters['name']}' was not found in resource group "
            f"'{call.parameters['group']}' and location '{call.parameters['location']}'.",
        )


def _wire(account: Resource) -> Body:
    base = f"/subscriptions/{account.id.subscription}/providers/Microsoft.CognitiveServices"
    where = f"locations/{account.location}/resourceGroups/{account.id.group}"
    return {
        **account.body,
        "id": f"{base}/{where}/deletedAccounts/{account.id.name}",
        "name": account.id.name,
        "type": "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts",
    }
