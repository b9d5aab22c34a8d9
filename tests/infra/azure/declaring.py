"""Components declared without an engine: what each resource is given, and how Pulumi treats it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import mocks, rpc

from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import PrivateAccess, Service
from infra.azure.roles import Grantee
from infra.cloud import WELL_KNOWN

_GUID = "11111111-1111-1111-1111-111111111111"
WORKSPACE = "/workspaces/log"
#: Outputs that components read and that no input has.
_ANSWERS: dict[str, dict[str, Any]] = {
    "azure-native:cognitiveservices:Account": {"properties": {"endpoint": "https://model.test/"}},
    "azure-native:containerservice:ManagedCluster": {
        "identity": {"principalId": "principal-of-cluster"},
        "oidcIssuerProfile": {"issuerURL": "https://issuer.test/"},
    },
    "azure-native:cosmosdb:DatabaseAccount": {
        "documentEndpoint": "https://documents.test/",
        "instanceId": "instance",
    },
    "azure-native:containerregistry:Registry": {"loginServer": "registry.test"},
    "azure-native:dashboard:Grafana": {
        "identity": {"principalId": "principal-of-grafana"},
        "properties": {"endpoint": "https://grafana.test/"},
    },
    "azure-native:eventgrid:Topic": {
        "endpoint": "https://topic.test/",
        "identity": {"principalId": "principal-of-topic"},
    },
    "azure-native:keyvault:Vault": {"properties": {"vaultUri": "https://vault.test/"}},
    "azure-native:managedidentity:UserAssignedIdentity": {
        "clientId": "client-id",
        "principalId": "object-id",
    },
    "azure-native:network:PublicIPAddress": {"ipAddress": "20.1.2.3"},
    "azure-native:storage:StorageAccount": {
        "primaryEndpoints": {"blob": "https://blob.test/", "queue": "https://queue.test/"}
    },
}


@dataclass(frozen=True)
class Declared:
    """`secret`: the top-level inputs that are secrets. `needs`: logical names it waits for by option."""

    type: str
    name: str
    inputs: dict[str, Any]
    secret: frozenset[str]
    protect: bool
    retain: bool
    ignored: tuple[str, ...]
    secret_outputs: tuple[str, ...]
    needs: tuple[str, ...]


class Declarations(list[Declared]):
    def of(self, kind: str) -> list[Declared]:
        """Those of a type such as `sql:Server`."""
        return [one for one in self if one.type == f"azure-native:{kind}"]

    def one(self, kind: str, name: str | None = None) -> Declared:
        found = [one for one in self.of(kind) if name in {None, one.name}]
        assert len(found) == 1, f"{len(found)} resources {kind} {name or ''}: {[one.name for one in found]}"
        return found[0]


class _Azure(mocks.Mocks):
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, Any], frozenset[str]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        secret = frozenset(name for name, value in args.inputs.items() if rpc.is_rpc_secret(value))
        inputs = {name: rpc.unwrap_rpc_secret(value) for name, value in args.inputs.items()}
        self.seen.append((args.typ, args.name, inputs, secret))
        answers = _ANSWERS.get(args.typ, {})
        return f"/{args.typ.rpartition(':')[2]}/{args.name}", {**inputs, **answers, "name": args.name}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return dict.fromkeys(("clientId", "objectId", "subscriptionId", "tenantId", "token"), _GUID), []


def declare(program: Callable[[], Any], *, deleted: bool = False) -> Declarations:
    """What `program` declares. `deleted`: soft delete still holds whatever is asked for."""
    azure, options = _Azure(), {}

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        options[args.type_, args.name] = args.opts

    async def main() -> None:
        pulumi.runtime.register_stack_transformation(look)
        program()

    # The runtime takes the thread's loop, which an asynchronous test before this one may have closed.
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(azure, project="agents", stack="test", preview=False)
    with (
        patch("infra.azure.soft_deleted.read", return_value={} if deleted else None),
        # Looked at through a real engine: tests/infra/recovery.
        patch("infra.azure.conforming.conformance.deviations", return_value=[]),
        patch("infra.azure.resource_manager.read", return_value=None),
    ):
        pulumi.runtime.test(main)()  # type: ignore[no-untyped-call]  # waits for every resource
    return Declarations(
        _declared(kind, name, inputs, secret, options[kind, name])
        for kind, name, inputs, secret in azure.seen
        if (kind, name) in options
    )


def _declared(
    kind: str, name: str, inputs: dict[str, Any], secret: frozenset[str], opts: pulumi.ResourceOptions
) -> Declared:
    needs = opts.depends_on if isinstance(opts.depends_on, list) else []
    return Declared(
        kind,
        name,
        inputs,
        secret,
        protect=bool(opts.protect),
        retain=bool(opts.retain_on_delete),
        ignored=tuple(opts.ignore_changes or ()),
        secret_outputs=tuple(opts.additional_secret_outputs or ()),
        needs=tuple(sorted(one._name for one in needs if isinstance(one, pulumi.Resource))),
    )


def small() -> Place:
    """As dev: one region, no zones, nothing protected."""
    return Place(WELL_KNOWN["public"], "rg", "westeurope", None, False, {"environment": "dev"})


def large() -> Place:
    """As prod: two regions, zones, everything protected."""
    return Place(
        WELL_KNOWN["public"], "rg", "westeurope", "northeurope", True, {"environment": "prod"}, zonal=True
    )


def closed() -> Exposure:
    """Inside the network only."""
    zones = {service: f"/zones/{service.name}" for service in Service}
    return Exposure(PrivateAccess("/subnets/endpoints", zones), egress=["20.1.2.3"])


def narrowed() -> Exposure:
    """On the internet, for a range and a single address, beside the cluster itself."""
    return Exposure(None, ["20.0.0.0/24", "20.9.9.9/32"], ["20.1.2.3"])


def opened() -> Exposure:
    """On the internet, for everyone with a role."""
    return Exposure(None, [], ["20.1.2.3"])


AGENTS = [Grantee("notification", "principal-of-notification"), Grantee("devops", "principal-of-devops")]
OPERATORS = [Grantee("operator-0", "principal-of-operator", None)]
