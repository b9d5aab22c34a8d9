"""`throughputSettings/default` of databases and containers: RU/s, fixed or scaling by itself.

A serverless account has none. Source: https://learn.microsoft.com/azure/cosmos-db/set-throughput
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.azure.documentdb import naming, rids
from sandbox.azure.documentdb.account_body import serverless
from sandbox.azure.documentdb.ancestry import account_of
from sandbox.azure.documentdb.recording import record_throughput
from sandbox.services import Store

DEFAULT = 400
_STEP = 100
_AUTOSCALE_STEP = 1000
_MAXIMUM = 1_000_000


def _manual(value: object) -> int:
    if isinstance(value, int) and DEFAULT <= value <= _MAXIMUM and value % _STEP == 0:
        return value
    raise bad_request(
        "BadRequest",
        f"The offer should have valid throughput values between {DEFAULT} and {_MAXIMUM} inclusive in "
        f"increments of {_STEP}; {value} is not.",
        "properties.resource.throughput",
    )


def _autoscale(value: object) -> int:
    if isinstance(value, int) and _AUTOSCALE_STEP <= value <= _MAXIMUM and value % _AUTOSCALE_STEP == 0:
        return value
    raise bad_request(
        "BadRequest",
        f"The autoscale maximum should be between {_AUTOSCALE_STEP} and {_MAXIMUM} in increments of "
        f"{_AUTOSCALE_STEP}; {value} is not.",
        "properties.resource.autoscaleSettings.maxThroughput",
    )


def settings(asked: Mapping[str, Any]) -> Body | None:
    """The resource that `throughput` or `autoscaleSettings.maxThroughput` asks for; None for neither.

    Raises ArmError 400 for values that cannot be provisioned.
    """
    manual, autoscale = asked.get("throughput"), (asked.get("autoscaleSettings") or {}).get("maxThroughput")
    if manual is not None and autoscale is not None:
        raise bad_request(
            "BadRequest", "Give throughput or autoscaleSettings, not both.", "properties.resource.throughput"
        )
    if manual is not None:
        units = _manual(manual)
        return {"throughput": units, "minimumThroughput": str(max(DEFAULT, units // 100)), **_computed()}
    if autoscale is not None:
        maximum = _autoscale(autoscale)
        return {
            "throughput": maximum // 10,
            "autoscaleSettings": {"maxThroughput": maximum},
            "minimumThroughput": str(max(_AUTOSCALE_STEP, maximum // 100)),
            **_computed(),
        }
    return None


def _computed() -> Body:
    return {
        "offerReplacePending": "false",
        "instantMaximumThroughput": "10000",
        "softAllowedMaximumThroughput": str(_MAXIMUM),
        **rids.stamp(),
    }


def refuse_serverless(account: Resource, what: str) -> None:
    if serverless(account.properties):
        raise bad_request(
            "BadRequest",
            f"Setting offer throughput or autopilot on {what} is not supported for serverless accounts.",
            "properties.options",
        )


def store_settings(store: Store, owner: Resource, resource: Body) -> None:
    """Write the settings of a database or container that is being made."""
    now = time.time()
    id_ = parse_id(f"{owner.id}/throughputSettings/default")
    store.save(Resource(id_, {"properties": {"resource": resource}}, now, now))


def units(store: Store, owner_id: str) -> int | None:
    """RU/s that a database or container may use; None when it has no settings of its own."""
    found = store.get(f"{owner_id}/throughputSettings/default")
    if found is None:
        return None
    resource = found.properties["resource"]
    return int((resource.get("autoscaleSettings") or {}).get("maxThroughput") or resource["throughput"])


class _ThroughputHandler(Handler):
    long_running = True
    created_status = updated_status = 202

    async def check(self, put: Put) -> None:
        refuse_serverless(account_of(self.services.store, put.id), "a resource")
        if put.previous is None:
            raise ArmError(
                404,
                "NotFound",
                f"'{put.id.text.removesuffix('/throughputSettings/default')}' has no throughput of its own: "
                "it is given when the resource is created.",
            )
        if settings((put.body.get("properties") or {}).get("resource") or {}) is None:
            raise bad_request(
                "BadRequest", "Give throughput or autoscaleSettings.maxThroughput.", "properties.resource"
            )

    async def fill(self, put: Put) -> Body:
        body = {name: value for name, value in put.body.items() if name != "properties"}
        return {**body, "properties": {"resource": settings(put.body["properties"]["resource"])}}

    async def provision(self, resource: Resource) -> None:
        owner = self.services.store.get(resource.id.text.rsplit("/", 2)[0])
        if owner is not None:
            await record_throughput(self.services, account_of(self.services.store, resource.id), owner)

    def actions(self) -> Mapping[str, Action]:
        return {"migrateToAutoscale": self._to_autoscale, "migrateToManualThroughput": self._to_manual}

    async def _to_autoscale(self, call: Call) -> Any:
        now = call.resource.properties["resource"]
        # The maximum starts at the smallest step that holds what was provisioned.
        maximum = -(-max(now["throughput"], _AUTOSCALE_STEP) // _AUTOSCALE_STEP) * _AUTOSCALE_STEP
        return await self._change(call.resource, {"autoscaleSettings": {"maxThroughput": maximum}})

    async def _to_manual(self, call: Call) -> Any:
        now = call.resource.properties["resource"]
        maximum = (now.get("autoscaleSettings") or {}).get("maxThroughput", now["throughput"])
        return await self._change(call.resource, {"throughput": maximum})

    async def _change(self, resource: Resource, asked: Body) -> Body:
        resource.properties["resource"] = settings(asked)
        resource.changed_at = time.time()
        self.services.store.save(resource)
        await self.provision(resource)
        return resource.wire()


class DatabaseThroughputHandler(_ThroughputHandler):
    type = naming.DATABASE_THROUGHPUT


class ContainerThroughputHandler(_ThroughputHandler):
    type = naming.CONTAINER_THROUGHPUT
