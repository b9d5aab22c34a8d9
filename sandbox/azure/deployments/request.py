"""What a request to deploy or to validate asks for, and the parts of it that this Azure has not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body, ResourceId
from sandbox.azure.deployments.problems import not_here

_MISSING = (
    "templateLink",
    "parametersLink",
    "onErrorDeployment",
    "externalInputs",
    "externalInputDefinitions",
    "extensionConfigs",
)


@dataclass(frozen=True)
class Request:
    """Template and parameters as sent, and what is shown of the request besides."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    debug: Mapping[str, Any] | None

    def to_json(self) -> str:
        return json.dumps({"template": self.template, "parameters": self.parameters, "debug": self.debug})

    @classmethod
    def from_json(cls, text: str) -> Request:
        return cls(**json.loads(text))


def read(id: ResourceId, body: Body) -> Request:  # noqa: A002
    """The body of a PUT, or of `validate`. Raises ArmError that names the property at fault."""
    if id.group is None or id.scope.count("/") != 4:
        raise not_here("deployments outside a resource group")
    if body.get("location") is not None:
        raise bad_request(
            "InvalidDeployment",
            f"The 'location' property is not allowed for '{id.name}' at resource group scope. Please see "
            "https://aka.ms/arm-deployment-subscription for usage details.",
            "location",
        )
    if body.get("identity") is not None:
        raise not_here("the property 'identity'")
    properties = body.get("properties")
    if not isinstance(properties, Mapping):
        raise _content("'properties' must be an object", "properties")
    for name in _MISSING:
        if properties.get(name):
            raise not_here(f"the property 'properties.{name}'")
    _require_incremental(properties)
    template, parameters = properties.get("template"), properties.get("parameters")
    if not isinstance(template, Mapping):
        raise _content("'properties.template' must be an object", "properties.template")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise _content("'properties.parameters' must be an object", "properties.parameters")
    return Request(template, parameters or {}, properties.get("debugSetting"))


def _require_incremental(properties: Mapping[str, Any]) -> None:
    mode = str(properties.get("mode", "")).lower()
    if mode == "complete":
        raise not_here(
            "the mode 'Complete', in which Azure deletes what the template does not name; use 'Incremental'"
        )
    if mode != "incremental":
        raise _content("'properties.mode' must be 'Incremental'", "properties.mode")


def _content(what: str, target: str) -> Exception:
    return bad_request("InvalidRequestContent", f"The request content was invalid: {what}.", target)
