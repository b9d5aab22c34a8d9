"""Which regions serve a data plane's host name.

- A vault's name: its region, and the paired one, which reads only.
  https://learn.microsoft.com/azure/key-vault/general/disaster-recovery-guidance
- A Cosmos DB account's name: where it is written; the name of one of its regions: that region.
  https://learn.microsoft.com/azure/cosmos-db/distribute-data-globally
- A registry's name: its region, and those of its replicas.
  https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication
- Names of models and of storage accounts: the account's region.
- Names of topics, of telemetry's endpoints and of clusters' issuers: the region that they contain.

Whatever else is asked for (Entra ID, Resource Manager, the query APIs of telemetry) is served everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.arm.regions import ALL, normalise
from sandbox.arm.resource import Resource
from sandbox.azure.cognitiveservices.deployed import ACCOUNTS
from sandbox.azure.containerregistry import naming as registries
from sandbox.azure.dataplane import find
from sandbox.azure.documentdb import endpoints, failover
from sandbox.azure.eventgrid import naming as topics
from sandbox.azure.insights.telemetry import naming as telemetry
from sandbox.names import Names
from sandbox.services import Store

_VAULT = "Microsoft.KeyVault/vaults"
_STORAGE = "Microsoft.Storage/storageAccounts"
_REPLICAS = f"{registries.TYPE}/replications"

#: What a name says before its service's domain -> the regions, any of which serves it.
Finder = Callable[[str], frozenset[str]]


class Servers:
    def __init__(self, names: Names, store: Store) -> None:
        self._store = store
        self._finders: Mapping[str, Finder] = {
            names.service("vault"): self._vault,
            names.service("documents"): self._cosmos,
            names.service("azurecr"): self._registry,
            names.service("openai"): self._models,
            **{names.service(f"{one}.storage"): self._storage for one in ("blob", "queue", "table")},
            topics.domain(names): _named,
            telemetry.ingestion_domain(names): _named,
            names.service("oic.prod-aks"): _named,
        }

    def regions(self, host: str) -> frozenset[str]:
        """None for what is served from everywhere, or for a name that leads to nothing."""
        for domain, finder in self._finders.items():
            if host.endswith(f".{domain}"):
                return finder(host.removesuffix(f".{domain}"))
        return frozenset()

    def _vault(self, name: str) -> frozenset[str]:
        home = _home(find(self._store, _VAULT, name))
        return home | {ALL[region].paired for region in home if region in ALL}

    def _cosmos(self, name: str) -> frozenset[str]:
        account, region = endpoints.account_at(self._store, name)
        if account is None:
            return frozenset()
        return failover.writable(account) if region is None else frozenset({normalise(region)})

    def _registry(self, name: str) -> frozenset[str]:
        registry = find(self._store, registries.TYPE, name)
        if registry is None:
            return frozenset()
        replicas = self._store.list(type=_REPLICAS, under=registry.id.text)
        return _home(registry).union(*(_home(one) for one in replicas))

    def _models(self, name: str) -> frozenset[str]:
        accounts = self._store.list(type=ACCOUNTS)
        named = (one for one in accounts if str(one.properties.get("customSubDomainName")).lower() == name)
        return _home(next(named, None))

    def _storage(self, name: str) -> frozenset[str]:
        return _home(find(self._store, _STORAGE, name))


def _home(resource: Resource | None) -> frozenset[str]:
    location = resource.location if resource is not None else None
    return frozenset({normalise(location)} if location else ())


def _named(label: str) -> frozenset[str]:
    """`topic.westeurope-1` and `westeurope-5` are in West Europe."""
    return frozenset({label.rpartition(".")[2].partition("-")[0]})
