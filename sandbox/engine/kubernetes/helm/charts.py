"""Charts that the sandbox knows. There is no internet in here to fetch others from, and no Go templates: a
chart is known by the objects of it that matter here. What its programs do, the sandbox does itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import relevance

from sandbox.config import Config
from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.objects import Object
from sandbox.helm import releases
from sandbox.toolchain.charts import DEFINITIONS, SCHEMA
from sandbox.toolchain.versions import versions

#: Problems told of at most.
_MOST = 5
_VALIDATION = "cert-manager-validation.yaml"


@dataclass(frozen=True)
class Chart:
    """`sources` are the ways to name it: (chart, repository)."""

    name: str
    sources: frozenset[tuple[str, str]]
    render: Callable[[str, Path, Mapping[str, Any]], list[Object]]

    @property
    def version(self) -> str:
        return f"v{versions().charts[self.name].version}"

    @property
    def metadata(self) -> releases.Chart:
        return releases.Chart(self.name, self.version, self.version)

    def folder(self) -> Path:
        """What the toolchain has of it. Raises PlugError when that is not installed."""
        folder = Config().cache / f"{self.name}-{versions().charts[self.name].version}"
        if not folder.is_dir():
            raise PlugError(
                f"chart {self.name}: {folder} is missing; `uv run sandbox up` installs what the sandbox has "
                "of it"
            )
        return folder

    def objects(self, release: str, values: Mapping[str, Any]) -> list[Object]:
        """What a release of this name installs. Raises PlugError for values that the chart refuses."""
        folder = self.folder()
        problems = sorted(_validator(folder / SCHEMA).iter_errors(dict(values)), key=relevance, reverse=True)
        if problems:
            listed = "\n".join(f"- {error.json_path[2:] or 'values'}: {error.message}" for error in problems)
            raise PlugError(
                "values don't meet the specifications of the schema(s) in the following chart(s):\n"
                + "\n".join([f"{self.name}:", *listed.split("\n")[:_MOST]])
            )
        return self.render(release, folder, values)


def find(chart: str, repository: str, version: str) -> Chart:
    """Raises PlugError that names what is known."""
    source = (chart.rstrip("/"), repository.rstrip("/"))
    for known in CHARTS:
        if source not in known.sources:
            continue
        if version and version.removeprefix("v") != known.version.removeprefix("v"):
            raise PlugError(
                f'chart "{known.name}" version "{version}" is not known to the sandbox, which has '
                f"{known.version}"
            )
        return known
    shown = f'chart "{chart}"' + (f" of {repository}" if repository else "")
    offered = "; ".join(
        f"{name}{f' of {place}' if place else ''} ({known.version})"
        for known in CHARTS
        for name, place in sorted(known.sources)
    )
    raise PlugError(f"{shown} is not known to the sandbox, which cannot fetch charts; it knows {offered}")


@cache
def _validator(schema: Path) -> Draft7Validator:
    return Draft7Validator(json.loads(schema.read_text()))


def _cert_manager(release: str, folder: Path, values: Mapping[str, Any]) -> list[Object]:
    """The definitions, if they are asked for, the controller's service account, and what is refused."""
    labels = {
        "app": "cert-manager",
        "app.kubernetes.io/name": "cert-manager",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/version": f"v{versions().charts['cert-manager'].version}",
        "helm.sh/chart": f"cert-manager-v{versions().charts['cert-manager'].version}",
    }
    crds = values.get("crds") or {}
    found: list[Object] = []
    if crds.get("enabled") or values.get("installCRDs"):
        keep = {} if crds.get("keep") is False else {"helm.sh/resource-policy": "keep"}
        for definition in copy.deepcopy(_definitions(folder / DEFINITIONS)):
            metadata = definition["metadata"]
            metadata["annotations"] = {**metadata.get("annotations", {}), **keep}
            metadata["labels"] = {**metadata.get("labels", {}), **labels}
            found.append(definition)
    account = values.get("serviceAccount") or {}
    if account.get("create") is not False:
        name = account.get("name") or (release if "cert-manager" in release else f"{release}-cert-manager")
        metadata = {
            "name": name,
            "labels": {
                **labels,
                **(account.get("labels") or {}),
                "app.kubernetes.io/component": "controller",
            },
            "annotations": dict(account.get("annotations") or {}),
        }
        found.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    policies = yaml.safe_load_all(resources.files(__package__).joinpath(_VALIDATION).read_text())
    found += [{**one, "metadata": {**one["metadata"], "labels": labels}} for one in policies]
    return found


@cache
def _definitions(path: Path) -> list[Object]:
    found: list[Object] = json.loads(path.read_text())
    return found


CHARTS = (
    Chart(
        "cert-manager",
        frozenset(
            {
                ("cert-manager", "https://charts.jetstack.io"),
                ("oci://quay.io/jetstack/charts/cert-manager", ""),
                ("cert-manager", "oci://quay.io/jetstack/charts"),
            }
        ),
        _cert_manager,
    ),
)
