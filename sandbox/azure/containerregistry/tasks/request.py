"""Reads a `scheduleRun` body. Source: azure-mgmt-containerregistrytasks, DockerBuildRequest."""

from __future__ import annotations

import re
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.azure.containerregistry.tasks.run import Build

_TIMEOUT = range(300, 28_801)
_DEFAULT_TIMEOUT = 3600
_IMAGE = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")
_ARCHITECTURES = {"amd64", "x86", None}


def _image(name: object, login_server: str, run_id: str) -> str:
    """`repository:tag` within the registry, with the run's variables filled in."""
    if not isinstance(name, str):
        raise bad_request("InvalidImageName", f"The image name {name!r} is not a string.", "imageNames")
    for variable in ("{{.Run.ID}}", "{{ .Run.ID }}", "$ID"):
        name = name.replace(variable, run_id)
    for variable in ("{{.Run.Registry}}", "{{ .Run.Registry }}", "$Registry"):
        name = name.replace(variable, login_server)
    name = name.removeprefix(f"{login_server}/")
    if not _IMAGE.fullmatch(name):
        raise bad_request("InvalidImageName", f"The image name '{name}' is not repository:tag.", "imageNames")
    return name


def _arguments(sent: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(sent, list) or not all(isinstance(item, dict) and item.get("name") for item in sent):
        raise bad_request(
            "InvalidArguments", "Each build argument is an object with name and value.", "arguments"
        )
    return tuple((str(item["name"]), str(item.get("value") or "")) for item in sent)


def _source(location: object) -> str:
    if (
        isinstance(location, str)
        and re.fullmatch(r"source/[A-Za-z0-9._/-]+", location)
        and ".." not in location
    ):
        return location
    raise bad_request(
        "SourceLocationNotSupported",
        f"The source location '{location}' is not an uploaded context. Remote contexts (git, http, oci) need "
        "the internet, which the local Azure does not have: build from a local folder.",
        "sourceLocation",
    )


def build(body: dict[str, Any], login_server: str, run_id: str) -> Build:
    """The build asked for. Raises ArmError for what cannot be built here, saying why."""
    kind = body.get("type")
    if kind != "DockerBuildRequest":
        raise ArmError(
            400,
            "RunRequestNotSupported",
            f"The run request type '{kind}' is not supported by the local Azure; it runs DockerBuildRequest "
            "(az acr build).",
            "type",
        )
    platform = body.get("platform") or {}
    if str(platform.get("os")).lower() != "linux" or platform.get("architecture") not in _ARCHITECTURES:
        raise bad_request(
            "PlatformNotSupported", f"Only linux/amd64 is built here, not {platform}.", "platform"
        )
    timeout = body.get("timeout") or _DEFAULT_TIMEOUT
    if timeout not in _TIMEOUT:
        raise bad_request("InvalidTimeout", f"The timeout {timeout} is not 300 to 28800 seconds.", "timeout")
    dockerfile = str(body.get("dockerFilePath") or "")
    if not dockerfile:
        raise bad_request("InvalidDockerFilePath", "dockerFilePath is missing.", "dockerFilePath")
    return Build(
        source=_source(body.get("sourceLocation")),
        dockerfile=dockerfile,
        images=tuple(_image(name, login_server, run_id) for name in body.get("imageNames") or []),
        push=bool(body.get("isPushEnabled", True)),
        no_cache=bool(body.get("noCache")),
        target=body.get("target"),
        arguments=_arguments(body.get("arguments") or []),
        timeout=int(timeout),
        agent_pool=body.get("agentPoolName") or None,
    )
