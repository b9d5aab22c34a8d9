"""What the sandbox needs of a Helm chart: its custom resource definitions and the schema of its values, taken
from the chart's published Go module. Its programs are not: the sandbox plays their part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.go import download
from sandbox.toolchain.shell import Shell
from sandbox.toolchain.step import EntryStep
from sandbox.toolchain.versions import Chart

#: Files of an entry: a JSON list of CustomResourceDefinition objects, and a JSON schema.
DEFINITIONS, SCHEMA = "crds.json", "values.schema.json"


@dataclass(frozen=True, kw_only=True)
class ChartStep(EntryStep):
    label: str
    chart: Chart

    @property
    def name(self) -> str:
        return self.label

    @property
    def version(self) -> str:
        return self.chart.version

    @property
    def disk(self) -> int:
        return 100

    @property
    def remedy(self) -> str:
        return "Check that `go` can fetch modules (`go env GOPROXY GOSUMDB`), then run it again."

    def build(self, target: Path, shell: Shell) -> None:
        source = Path(download(shell, self.chart.module, self.version)["Dir"])
        found = [
            document
            for file in sorted((source / self.chart.definitions).glob("*.yaml"))
            for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
            if document is not None
        ]
        (target / DEFINITIONS).write_text(json.dumps(found))
        (target / SCHEMA).write_text((source / self.chart.schema_file).read_text())

    def verify(self, folder: Path) -> None:
        try:
            found = json.loads((folder / DEFINITIONS).read_text())
            json.loads((folder / SCHEMA).read_text())
        except (OSError, ValueError) as error:
            raise ToolchainError(f"{folder} holds no chart: {error}", remedy=_ANEW) from None
        if not found or any(one.get("kind") != "CustomResourceDefinition" for one in found):
            raise ToolchainError(f"{folder} holds no definitions of custom resources", remedy=_ANEW)


_ANEW = "It is made anew by the next run."
