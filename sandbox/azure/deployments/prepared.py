"""A deployment that can begin: its template read, its plan made, and its principal's rights checked."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.ids import parse_id
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, ResourceId
from sandbox.azure.deployments import functions, outputs, template
from sandbox.azure.deployments.items import Item
from sandbox.azure.deployments.plan import Step, plan
from sandbox.azure.deployments.request import Request
from sandbox.azure.deployments.template import Template
from sandbox.config import TENANT_ID
from sandbox.services import Rbac, Store


@dataclass(frozen=True)
class Prepared:
    request: Request
    template: Template
    steps: list[Step]

    @property
    def items(self) -> list[Item]:
        return [step.item for step in self.steps]

    def shown(self) -> Body:
        """The properties a GET shows that are known before anything is deployed."""
        found: Body = {
            "mode": "Incremental",
            "parameters": self.template.shown_parameters(),
            "templateHash": self.template.hash,
            "providers": self._providers(),
            "dependencies": [_dependency(step) for step in self.steps if step.after],
        }
        return {**found, "debugSetting": self.request.debug} if self.request.debug else found

    def resources(self) -> list[Body]:
        return [{"id": id_} for id_ in sorted(item.id.text for item in self.items)]

    def _providers(self) -> list[Body]:
        namespaces: dict[str, dict[str, set[str]]] = {}
        for item in self.items:
            namespace, _, kind = item.id.type.partition("/")
            locations = namespaces.setdefault(namespace, {}).setdefault(kind, set())
            location = item.body.get("location")
            if isinstance(location, str) and not location.startswith("["):
                locations.add(location)
        return [
            {
                "namespace": namespace,
                "resourceTypes": [
                    {"resourceType": kind, "locations": sorted(locations)}
                    for kind, locations in types.items()
                ],
            }
            for namespace, types in namespaces.items()
        ]


def prepare(id: ResourceId, request: Request, store: Store) -> Prepared:  # noqa: A002
    """Raises ArmError for a group that is not there and for everything wrong with the template."""
    group = store.get(id.scope)
    if group is None:
        raise missing(parse_id(id.scope))
    scope = functions.of_scope(group, TENANT_ID)
    read = template.read(request.template, request.parameters, scope)
    steps = plan(read, group.id.text)
    outputs.require_valid(read.outputs, read.functions, [step.item for step in steps])
    return Prepared(request, read, steps)


def require_rights(prepared: Prepared, principal: Principal, rbac: Rbac) -> None:
    """Who deploys may write every resource of the template. Raises ARM's 403.

    https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-rest#required-permissions
    """
    refused = [
        f"Authorization failed for template resource '{item.name}' of type '{item.id.type}'. The client "
        f"'{principal.client_id}' with object id '{principal.object_id}' does not have permission to perform "
        f"action '{item.id.type}/write' at scope '{item.id.text}'."
        for item in prepared.items
        if not rbac.allows(principal.object_id, f"{item.id.type}/write", item.id.text)
    ]
    if refused:
        how = "error" if len(refused) == 1 else "multiple errors"
        raise ArmError(
            403,
            "InvalidTemplateDeployment",
            f"The template deployment failed with {how}: '{' '.join(refused)}'.",
        )


def _dependency(step: Step) -> Body:
    return {**_named(step.item.id), "dependsOn": [_named(id_) for id_ in step.after]}


def _named(id: ResourceId) -> Body:  # noqa: A002
    return {"id": id.text, "resourceType": id.type, "resourceName": "/".join(id.names)}
