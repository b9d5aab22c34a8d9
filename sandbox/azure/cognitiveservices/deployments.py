"""`Microsoft.CognitiveServices/accounts/deployments`: a model with capacity, within the region's quota."""

from __future__ import annotations

import copy

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource
from sandbox.azure.cognitiveservices import models, rai_policies
from sandbox.azure.cognitiveservices.deployed import DEPLOYMENTS
from sandbox.azure.cognitiveservices.lifecycle import Stage, Version
from sandbox.azure.cognitiveservices.listings import QUOTA, used
from sandbox.azure.cognitiveservices.models import METERED_SKUS, PROVISIONED_SKUS, Model
from sandbox.azure.cognitiveservices.rates import TOKEN_WINDOW


class DeploymentHandler(Handler):
    type = DEPLOYMENTS

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        deployed = properties.get("model") or {}
        model = models.find(str(deployed.get("name")))
        named = deployed.get("version")
        version = model.version(named) if model and named else model.versions[0] if model else None
        if deployed.get("format") != "OpenAI" or model is None or version is None:
            raise bad_request(
                "DeploymentModelNotSupported",
                "The model "
                f"'Format:{deployed.get('format')},Name:{deployed.get('name')},Version:{named or ''}' of "
                "account deployment is not supported.",
                "properties.model",
            )
        self._check_stage(put, model, version)
        sku = put.body.get("sku") or {}
        if sku.get("name", "Standard") not in METERED_SKUS | PROVISIONED_SKUS:
            raise bad_request(
                "InvalidResourceProperties",
                f"The specified SKU '{sku.get('name')}' for model '{model.name} "
                f"{version.name}' is not supported; it has "
                f"{', '.join(sorted(METERED_SKUS | PROVISIONED_SKUS))}.",
                "sku.name",
            )
        if properties.get("raiPolicyName"):
            account = self._account(put).id.text
            target = "properties.raiPolicyName"
            rai_policies.require(self.services.store, account, properties["raiPolicyName"], target)
        self._check_quota(put, model, str(sku.get("name", "Standard")), int(sku.get("capacity") or 1))

    def _check_stage(self, put: Put, model: Model, version: Version) -> None:
        """Codes and words as reported, since they are not documented:

        https://github.com/microsoft/microsoft-foundry-for-vscode/issues/491 (retired) and
        https://github.com/microsoft/iq-series/issues/84 (closed).
        """
        told = f"The model 'Format:OpenAI,Name:{model.name},Version:{version.name}'"
        if version.stage is Stage.RETIRED:
            raise bad_request(
                "ServiceModelDeprecated",
                f"{told} has been deprecated since {version.ends:%m/%d/%Y} 00:00:00.",
                "properties.model",
            )
        if version.stage is Stage.CLOSED and not self._ever_had(put, model, version):
            raise bad_request(
                "ServiceModelDeprecating",
                f"{told} is in deprecating state and cannot be used for new deployments.",
                "properties.model",
            )

    def _ever_had(self, put: Put, model: Model, version: Version) -> bool:
        """Azure remembers what a subscription once deployed; the sandbox knows what it has deployed now."""
        held = [one.properties["model"] for one in self.services.store.list(type=DEPLOYMENTS)]
        if put.previous is not None:
            held.append(put.previous.properties["model"])
        return any(one["name"] == model.name and one.get("version") == version.name for one in held)

    def _check_quota(self, put: Put, model: Model, sku: str, capacity: int) -> None:
        if capacity < 1:
            raise bad_request(
                "InvalidCapacity", f"The capacity {capacity} is not at least 1.", "sku.capacity"
            )
        taken = used(self.services.store, self._account(put).location, model.name, sku, but=put.id.key)
        if taken + capacity > QUOTA:
            kind = f"Tokens Per Minute (thousands) - {model.name} - {sku}"
            raise bad_request(
                "InsufficientQuota",
                f"This operation require {capacity} new capacity in quota {kind}, which is bigger than the "
                f"current available capacity {QUOTA - taken}. The current quota usage is {taken} and the "
                f"quota limit is {QUOTA} for quota {kind}.",
                "sku.capacity",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sku = body.setdefault("sku", {})
        sku.setdefault("name", "Standard")
        sku.setdefault("capacity", 1)
        properties = body["properties"]
        model = models.find(properties["model"]["name"])
        if model is None:
            raise bad_request(
                "DeploymentModelNotSupported", "The model is not supported.", "properties.model"
            )
        properties["model"].setdefault("version", model.versions[0].name)
        properties.setdefault("versionUpgradeOption", "OnceNewDefaultVersionAvailable")
        properties["currentCapacity"] = sku["capacity"]
        capability = "chatCompletion" if model.kind == "chat" else "embeddings"
        properties["capabilities"] = {capability: "true"}
        properties.pop("rateLimits", None)
        if sku["name"] in METERED_SKUS:
            limits = model.limits(int(sku["capacity"]))
            properties["rateLimits"] = [
                {"key": "request", "renewalPeriod": limits.window, "count": limits.requests_per_window},
                {"key": "token", "renewalPeriod": TOKEN_WINDOW, "count": limits.tokens},
            ]
        return body

    def _account(self, put: Put) -> Resource:
        above = parent(put.id)
        account = self.services.store.get(above) if above else None
        if account is None:
            raise ArmError(404, "ParentResourceNotFound", f"There is no account '{above}'.")
        return account
