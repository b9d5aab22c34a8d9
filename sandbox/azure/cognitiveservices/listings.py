"""What an account or a region offers and how much of it is used: models, SKUs, quota."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.arm.errors import not_found
from sandbox.arm.ids import parent
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Resource
from sandbox.azure.cognitiveservices.deployed import ACCOUNTS, DEPLOYMENTS
from sandbox.azure.cognitiveservices.lifecycle import Version
from sandbox.azure.cognitiveservices.models import METERED_SKUS, MODELS, PROVISIONED_SKUS, Model
from sandbox.services import Store

#: Thousands of tokens per minute that a subscription has per region, model and deployment type.
QUOTA = 1000

_PROVIDER = "/providers/Microsoft.CognitiveServices"
_REGION = f"/subscriptions/{{subscription}}{_PROVIDER}/locations/{{location}}"
_ACCOUNT = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}{_PROVIDER}/accounts/{{account}}"


def used(store: Store, region: str | None, model: str, sku: str, *, but: str = "") -> int:
    """Capacity that deployments take of one quota; `but` is the key of one not to count."""
    return sum(
        int((one.body.get("sku") or {}).get("capacity") or 1)
        for one in store.list(type=DEPLOYMENTS)
        if one.id.key != but
        and one.properties["model"]["name"] == model
        and (one.body.get("sku") or {}).get("name", "Standard") == sku
        and _region(store, one) == region
    )


def _region(store: Store, deployment: Resource) -> str | None:
    above = parent(deployment.id)
    account = store.get(above) if above else None
    return account.location if account else None


class Listings:
    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self) -> Sequence[Operation]:
        action = "Microsoft.CognitiveServices"
        return (
            Operation("GET", f"{_REGION}/models", f"{action}/locations/models/read", self._region_models),
            Operation("GET", f"{_REGION}/usages", f"{action}/locations/usages/read", self._region_usages),
            Operation("GET", f"{_ACCOUNT}/models", f"{action}/accounts/models/read", self._account_models),
            Operation("GET", f"{_ACCOUNT}/skus", f"{action}/accounts/skus/read", self._account_skus),
            Operation("GET", f"{_ACCOUNT}/usages", f"{action}/accounts/usages/read", self._account_usages),
        )

    async def _region_models(self, _call: OperationCall) -> Answer:
        listed = [
            {"kind": kind, "skuName": "S0", "model": model}
            for kind in ("OpenAI", "AIServices")
            for model in _models()
        ]
        return Answer(body={"value": listed})

    async def _account_models(self, call: OperationCall) -> Answer:
        self._account(call)
        return Answer(body={"value": list(_models())})

    async def _account_skus(self, call: OperationCall) -> Answer:
        self._account(call)
        return Answer(
            body={"value": [{"resourceType": "accounts", "sku": {"name": "S0", "tier": "Standard"}}]}
        )

    async def _region_usages(self, call: OperationCall) -> Answer:
        return Answer(body={"value": self._usages(call.parameters["location"].lower())})

    async def _account_usages(self, call: OperationCall) -> Answer:
        return Answer(body={"value": self._usages(str(self._account(call).location))})

    def _usages(self, region: str) -> list[dict[str, Any]]:
        return [
            {
                "name": {
                    "value": f"OpenAI.{sku}.{model.name}",
                    "localizedValue": f"Tokens Per Minute (thousands) - {model.name} - {sku}",
                },
                "currentValue": used(self._store, region, model.name, sku),
                "limit": QUOTA,
                "unit": "Count",
            }
            for model in MODELS
            for sku in sorted(METERED_SKUS)
        ]

    def _account(self, call: OperationCall) -> Resource:
        group = f"/subscriptions/{call.parameters['subscription']}/resourceGroups/{call.parameters['group']}"
        id_ = f"{group}/providers/{ACCOUNTS}/{call.parameters['account']}"
        found = self._store.get(id_)
        if found is None:
            raise not_found(id_)
        return found


def _models() -> Iterator[dict[str, Any]]:
    for model in MODELS:
        for version in model.versions:
            yield _model(model, version)


def _model(model: Model, version: Version) -> dict[str, Any]:
    capability = "chatCompletion" if model.kind == "chat" else "embeddings"
    return {
        "format": "OpenAI",
        "name": model.name,
        "version": version.name,
        "isDefaultVersion": version == model.versions[0],
        "lifecycleStatus": version.stage.value,
        "deprecation": {"inference": f"{version.ends}T00:00:00Z"},
        "maxCapacity": QUOTA,
        "capabilities": {
            capability: "true",
            "maxContextToken": str(model.context),
            "maxOutputToken": str(model.output),
        },
        "skus": [
            {
                "name": sku,
                "usageName": f"OpenAI.{sku}.{model.name}",
                "deprecationDate": f"{version.ends}T00:00:00Z",
                "capacity": {"minimum": 1, "maximum": QUOTA, "step": 1, "default": 10},
            }
            for sku in sorted(METERED_SKUS | PROVISIONED_SKUS)
        ],
    }
