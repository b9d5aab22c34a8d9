"""What the program declares, without an engine: every azure-native resource of an environment, with mocks."""

import asyncio
import base64
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pulumi
import yaml
from pulumi.runtime import mocks, rpc

from infra import settings
from infra.cloud import parse_metadata
from sandbox.engine.azure_native import outputs
from sandbox.engine.azure_native.check import check
from sandbox.engine.azure_native.settings import Settings
from sandbox.engine.values import UNKNOWN, transform
from sandbox.types import cache, table, translate
from sandbox.types.armtype import ArmType
from tests.conformance.bicep import ROOT

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_METADATA = {
    "name": "Sandbox",
    "resourceManager": "https://management.azure.test",
    "suffixes": {
        "acrLoginServer": "azurecr.azure.test",
        "keyVaultDns": "vault.azure.test",
        "storage": "storage.azure.test",
        "sqlServerHostname": "database.azure.test",
    },
}
_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "aks", "cluster": {"server": "https://aks.azure.test"}}],
    "contexts": [{"name": "aks", "context": {"cluster": "aks", "user": "me"}}],
    "current-context": "aks",
    "users": [{"name": "me", "user": {"token": "none"}}],
}


#: What is Azure's alone, and of which the program reads a part or counts on its form.
_AZURES: dict[str, dict[str, Any]] = {
    "Microsoft.Network/publicIPAddresses": {"ipAddress": "20.1.2.3"},
    "Microsoft.Storage/storageAccounts": {
        "primaryEndpoints": {"blob": "https://blob.azure.test/", "queue": "https://queue.azure.test/"}
    },
}
#: Outputs of commands and Kubernetes objects that the program reads.
_ELSEWHERE = {"stdout": "made-up", "status": {"loadBalancer": {"ingress": [{"ip": "10.77.0.2"}]}}}


@dataclass(frozen=True)
class Declared:
    """One resource of the program, and the body of the PUT that would create it."""

    name: str
    row: ArmType
    inputs: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        return translate.to_wire(self.row.types[0], self.inputs)


class Recorder(mocks.Mocks):
    """Answers with the inputs; what only Azure knows is made up."""

    def __init__(self, location: str) -> None:
        self.declared: list[Declared] = []
        #: Type, logical name and inputs of every resource, of whatever provider.
        self.registered: list[tuple[str, str, dict[str, Any]]] = []
        #: The same by URN: components have children of the same type and name.
        self.by_urn: dict[str, dict[str, Any]] = {}
        self._azure: Any = SimpleNamespace(known=True, settings=Settings(location=location))

    def placed(self, urn: str, inputs: dict[str, Any]) -> None:
        """A resource is about to be registered there."""
        self.by_urn[urn] = _whole(inputs)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.registered.append((args.typ, args.name, _whole(args.inputs)))
        row = table.by_token(args.typ)
        if row is None:
            return f"{args.name}-id", {**_ELSEWHERE, **args.inputs}
        checked = check(
            row,
            cache.schema(row),
            self._azure,
            logical_name=args.name,
            seed=b"seed",
            old={},
            new=_whole(args.inputs),
        )
        assert checked.failures == [], (args.name, checked.failures)
        self.declared.append(Declared(args.name, row, checked.inputs))
        shown = outputs.preview(cache.schema(row), checked.inputs, None)
        shown |= _AZURES.get(row.type, {})
        made = transform(shown, lambda value: f"made-up-{args.name}" if value is UNKNOWN else value)
        if "ipAddress" in made:
            made["ipAddress"] = "203.0.113.7"
        named = checked.inputs.get(row.name_parameter or "", args.name)
        values = {name: checked.inputs.get(name, f"x-{name}") for name in row.parameters}
        return row.format({**values, "subscriptionId": _SUBSCRIPTION}), {**made, "name": named}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if "Credentials" in args.token:
            value = base64.b64encode(json.dumps(_KUBECONFIG).encode()).decode()
            return {"kubeconfigs": [{"name": "one", "value": value}]}, []
        if args.token.endswith(":getManagedCluster"):
            return {"oidcIssuerProfile": {"enabled": True, "issuerURL": "https://oidc.azure.test/aks/"}}, []
        identity = ("clientId", "objectId", "subscriptionId", "tenantId")
        return dict.fromkeys(identity, _SUBSCRIPTION), []


class _Monitor(mocks.MockMonitor):
    """Tells the recorder what mocks are not told: whose child a resource is."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  (gRPC's name)
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self._recorder.placed(answer.urn, rpc.deserialize_properties(request.object))
        return answer


def _whole(inputs: dict[str, Any]) -> dict[str, Any]:
    """Secrets in the open, and whole numbers as such; the wire knows only doubles."""
    opened = {name: rpc.unwrap_rpc_secret(value) for name, value in inputs.items()}
    found: dict[str, Any] = transform(
        opened, lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    )
    return found


def declared(stack: str, *, root: Path = ROOT) -> list[Declared]:
    """The Azure resources of a stack whose settings lie in the project."""
    return record(stack, root=root).declared


def record(
    stack: str,
    *,
    root: Path = ROOT,
    transformation: pulumi.ResourceTransformation | None = None,
    backup: bool = True,
) -> Recorder:
    """Everything that a stack declares. `transformation` sees what providers do not: parents and options.

    `backup`: whether the source of a stamp has a backup stack.
    """
    config = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text())["config"]
    plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    recorder = Recorder(plain.get("azure-native:location", ""))
    # The runtime takes the thread's loop, which an asynchronous test before this one has closed.
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(
        recorder, project="agents", stack=stack, preview=False, monitor=_Monitor(recorder)
    )
    pulumi.runtime.set_all_config(plain)
    # Nothing was deleted before (looking would need a cloud), and the month is always the same one.
    with (
        patch("infra.azure.soft_deleted.read", return_value=None),
        patch("infra.azure.budget.this_month", return_value=date(2026, 11, 1)),
        # A stamp's source is there, and silent.
        patch("infra.stacks.takeover.check", return_value=("westeurope", _SUBSCRIPTION)),
        patch("infra.stacks.secret_copies.missing_of", return_value=[] if backup else ["vault"]),
        patch("infra.azure.resource_manager.reader"),
        # What was restored is looked at through a real engine: tests/infra/recovery.
        patch("infra.azure.conforming.resource_manager.read", return_value=None),
        patch("infra.azure.conforming.conformance.deviations", return_value=[]),
        patch("infra.azure.identity.read", return_value={"properties": {"clientId": _SUBSCRIPTION}}),
    ):
        wanted = settings.read(stack)
        role = importlib.import_module(f"infra.stacks.{wanted.role}")
        _run(lambda: role.compose(wanted, parse_metadata(_METADATA)), transformation)
    return recorder


def _run(program: Callable[[], Any], transformation: pulumi.ResourceTransformation | None) -> None:
    async def main() -> None:
        if transformation is not None:
            pulumi.runtime.register_stack_transformation(transformation)
        program()

    pulumi.runtime.test(main)()  # type: ignore[no-untyped-call]  # waits for every resource the program declares
