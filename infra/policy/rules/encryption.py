"""Data is encrypted on its way and at rest."""

from infra.policy.model import UNKNOWN, Resource, may_hold
from infra.policy.rule import Faults, require, resource_rule

_TLS = {
    "azure-native:cosmosdb:DatabaseAccount": ("minimalTlsVersion", ("Tls12",)),
    "azure-native:eventgrid:Topic": ("minimumTlsVersionAllowed", ("1.2",)),
    "azure-native:sql:Server": ("minimalTlsVersion", ("1.2", "1.3")),
    "azure-native:storage:StorageAccount": ("minimumTlsVersion", ("TLS1_2", "TLS1_3")),
}


@resource_rule(
    *_TLS,
    remedy="Set the lowest TLS version to 1.2; Azure's defaults are older on some services",
    source="https://learn.microsoft.com/security/benchmark/azure/mcsb-data-protection",
)
def connections_use_tls_1_2(resource: Resource) -> Faults:
    """Services refuse connections with a TLS older than 1.2."""
    path, versions = _TLS[resource.type]
    yield from require(resource, path, *versions)


@resource_rule(
    "azure-native:storage:StorageAccount",
    remedy="Leave enable_https_traffic_only on",
    source="https://learn.microsoft.com/azure/storage/common/storage-require-secure-transfer",
)
def storage_takes_https_only(account: Resource) -> Faults:
    """Storage accounts refuse plain HTTP."""
    yield from require(account, "enableHttpsTrafficOnly", True, None)


@resource_rule(
    "azure-native:sql:TransparentDataEncryption",
    remedy="Set state to Enabled",
    source="https://learn.microsoft.com/azure/azure-sql/database/transparent-data-encryption-tde-overview",
)
def sql_data_is_encrypted(encryption: Resource) -> Faults:
    """Nobody turns off the encryption of SQL databases."""
    yield from require(encryption, "state", "Enabled")


@resource_rule(
    "kubernetes:networking:Ingress",
    remedy="List the host under spec.tls with the secret of its certificate",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
)
def ingresses_serve_tls(ingress: Resource) -> Faults:
    """Every host of an ingress has a certificate."""
    certificates = ingress.get("spec.tls", [])
    for rule in ingress.all("spec.rules"):
        host = rule.get("host")
        covered = certificates is UNKNOWN or any(may_hold(entry.get("hosts"), host) for entry in certificates)
        if not covered and host is not UNKNOWN:
            yield f"host {host or '*'} is served without TLS"
