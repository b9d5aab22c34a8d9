"""A chart's definitions and schema are taken from its module, and an entry without them is made anew."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sandbox.toolchain.charts import DEFINITIONS, SCHEMA, ChartStep
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import Shell
from sandbox.toolchain.versions import Chart, versions

_DEFINITION = """---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module's source, and a stand-in for Go that has fetched it."""
    source = tmp_path / "module"
    (source / "crds").mkdir(parents=True)
    (source / "crds" / "things.yaml").write_text(_DEFINITION)
    (source / "crds" / "README.md").write_text("no definition")
    (source / "schema.json").write_text('{"type": "object"}')
    go = tmp_path / "path" / "go"
    go.parent.mkdir()
    go.write_text(f"""#!/bin/sh\necho '{{"Dir": "{source}"}}'\n""")
    go.chmod(go.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    return source


def _step(cache: Path) -> ChartStep:
    chart = Chart(module="example.com/thing", version="1.2.3", definitions="crds", schema_file="schema.json")
    return ChartStep(cache, label="thing", chart=chart)


def test_definitions_and_schema_are_taken_from_the_module(tmp_path: Path, source: Path) -> None:
    step = _step(tmp_path)
    step.run(Shell(tmp_path / "log"))
    assert step.ready()
    found = json.loads((step.entry.path / DEFINITIONS).read_text())
    assert [one["metadata"]["name"] for one in found] == ["things.example.com"]
    assert json.loads((step.entry.path / SCHEMA).read_text()) == {"type": "object"}


def test_a_module_without_definitions_is_refused(tmp_path: Path, source: Path) -> None:
    (source / "crds" / "things.yaml").unlink()
    with pytest.raises(ToolchainError, match="no definitions"):
        _step(tmp_path).run(Shell(tmp_path / "log"))


def test_what_is_no_definition_is_refused(tmp_path: Path, source: Path) -> None:
    (source / "crds" / "pod.yaml").write_text("kind: Pod\n")
    with pytest.raises(ToolchainError, match="no definitions"):
        _step(tmp_path).run(Shell(tmp_path / "log"))


def test_every_chart_is_pinned_exactly() -> None:
    assert all(chart.version.count(".") == 2 for chart in versions().charts.values())
