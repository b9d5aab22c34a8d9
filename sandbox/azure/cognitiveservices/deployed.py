"""Finding the account behind a host name and the deployment a request is for."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.arm.resource import Resource
from sandbox.azure.cognitiveservices import models
from sandbox.azure.cognitiveservices.errors import deployment_not_found, gateway, model_retired
from sandbox.azure.cognitiveservices.lifecycle import Stage
from sandbox.azure.cognitiveservices.models import Model
from sandbox.azure.cognitiveservices.rates import Limits
from sandbox.services import Store

ACCOUNTS = "Microsoft.CognitiveServices/accounts"
DEPLOYMENTS = f"{ACCOUNTS}/deployments"


@dataclass(frozen=True)
class Deployed:
    """A deployment that answers. `limits` is None for provisioned capacity."""

    key: str
    name: str
    model: Model
    version: str
    limits: Limits | None

    @property
    def full_name(self) -> str:
        """What answers call the model: name and version, as Azure does."""
        return f"{self.model.name}-{self.version}"


def account_of(store: Store, host: str) -> Resource:
    subdomain = host.partition(".")[0]
    for account in store.list(type=ACCOUNTS):
        if str(account.properties.get("customSubDomainName", "")).lower() == subdomain:
            return account
    raise gateway(404, "404", f"Resource not found: there is no account at {host}.")


def deployment_of(store: Store, account: Resource, name: str) -> Deployed:
    resource = store.get(f"{account.id}/deployments/{name}") if name and "/" not in name else None
    if resource is None or resource.properties.get("provisioningState", "Succeeded") != "Succeeded":
        raise deployment_not_found()
    deployed = resource.properties["model"]
    model = models.find(deployed["name"])
    if model is None:
        raise deployment_not_found()
    sku = resource.body.get("sku") or {}
    metered = sku.get("name", "Standard") in models.METERED_SKUS
    limits = model.limits(int(sku.get("capacity") or 1)) if metered else None
    version = model.version(deployed["version"])
    if version is None or version.stage is Stage.RETIRED:
        raise model_retired(model.name, deployed["version"])
    return Deployed(resource.id.key, resource.id.name, model, deployed["version"], limits)
