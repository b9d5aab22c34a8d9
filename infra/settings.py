"""Typed stack settings: everything under `agents:` in `Pulumi.<stack>.yaml`, parsed once.

A wrong setting stops the program before any resource is declared, and the message names the key, what is
wrong with it and what would be right.
"""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

NAMESPACE = "agents"

# Azure OpenAI's global-standard deployments and zone-redundant AKS are available in all of these.
Region = Literal["westeurope", "northeurope", "swedencentral", "germanywestcentral", "eastus2", "centralus"]
# `acragentsE` allows only letters and digits; `kv-agents-E-SUFFIX` must stay within 24 characters.
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}$")]
NameSuffix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{0,5}$")]
AgentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{2,30}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$")]
Domain = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class SettingsError(pulumi.RunError):
    """A setting is missing, misspelt or out of range. The message is for the person who edits the file."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentSettings(_Settings):
    """One agent: how many pods of it, and how large they are (Kubernetes quantities)."""

    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    cpu: str = "100m"
    memory: str = "256Mi"


class ClusterSettings(_Settings):
    """Size and version of the AKS cluster."""

    kubernetes_version: str = "1.34"
    tier: Literal["Free", "Standard", "Premium"] = "Free"
    system_size: str = "Standard_D2ads_v5"
    system_count: Annotated[int, Field(ge=1, le=100)] = 1
    user_size: str = "Standard_D4ads_v5"
    user_count: Annotated[int, Field(ge=0, le=1000)] = 1


class ModelSettings(_Settings):
    """The model deployment that the agents use; `capacity` in thousands of tokens per minute."""

    name: str = "gpt-4o-mini"
    version: str = "2024-07-18"
    capacity: Annotated[int, Field(ge=1, le=10000)] = 50


class Settings(_Settings):
    """All settings of a stack. Defaults are the smallest honest size."""

    environment: EnvironmentName
    location: Region
    version: Version
    agents: Annotated[dict[AgentName, AgentSettings], Field(min_length=1)]
    role: Literal["environment"] = "environment"
    suffix: NameSuffix = ""
    domain: Domain | None = None
    operators: list[ObjectId] = []
    cluster: ClusterSettings = ClusterSettings()
    model: ModelSettings = ModelSettings()


def read(stack: str) -> Settings:
    """The settings of `stack` from the engine's configuration. Raises SettingsError."""
    values = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in pulumi.runtime.config.CONFIG.get().items()
        if key.startswith(f"{NAMESPACE}:")
    }
    values.setdefault("location", pulumi.Config("azure-native").get("location") or "")
    return parse(values, stack)


def parse(values: dict[str, Any], stack: str) -> Settings:
    """Settings from raw configuration values (strings; structured ones as JSON). Raises SettingsError."""
    values = {"environment": stack, **{key: _decode(value) for key, value in values.items()}}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  - {_explain(problem)}" for problem in error.errors())
        raise SettingsError(f"Pulumi.{stack}.yaml cannot be used:\n{problems}") from None


def _decode(value: Any) -> Any:
    """Structured settings reach the program as JSON text; everything else stays text."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


def _explain(problem: Any) -> str:
    path = [str(part) for part in problem["loc"] if part != "[key]"]
    key = "azure-native:location" if path == ["location"] else f"{NAMESPACE}:{'.'.join(path)}"
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a setting.{_suggestion(path)}"
    if problem["type"] == "missing":
        path_option = "--path " if len(path) > 1 else ""
        return f"{key} is missing. Set it with: pulumi config set {path_option}{key} VALUE"
    return f"{key} is {problem['input']!r}: {problem['msg']}."


def _suggestion(path: list[str]) -> str:
    known = sorted(_model_at(path[:-1]).model_fields)
    close = difflib.get_close_matches(path[-1], known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known here: {', '.join(known)}."


def _model_at(path: list[str]) -> type[BaseModel]:
    """The settings class that the mapping at `path` is parsed into."""
    if path[:1] == ["agents"]:
        return AgentSettings
    model: type[BaseModel] = Settings
    for part in path:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return model
