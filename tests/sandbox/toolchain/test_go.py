"""Go programs are built even when the first fetch fails, and a module that is not there is reported."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.toolchain.go import GoStep
from sandbox.toolchain.shell import CommandError, Shell
from sandbox.toolchain.versions import GoModule

# A stand-in for Go: `failures` counts down with every fetch, and only then does it work.
_GO = """#!/bin/sh
case "$1 $2" in
"mod download" | "get -tool")
    left=$(cat {state}/failures)
    if [ "$left" -gt 0 ]; then echo $((left - 1)) > {state}/failures; echo "i/o timeout" >&2; exit 1; fi
    echo '{{"GoMod": "{state}/go.mod"}}' ;;
"mod edit") echo '{{"Go": "1.24"}}' ;;
build*) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho v1.2.3\\n' > "$2"; chmod +x "$2" ;;
esac
"""


@pytest.fixture
def failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    folder = tmp_path / "path"
    folder.mkdir()
    go = folder / "go"
    go.write_text(_GO.format(state=tmp_path))
    go.chmod(go.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return tmp_path / "failures"


def _step(tmp_path: Path) -> GoStep:
    module = GoModule(
        module="example.com/tool", version="1.2.3", programs={"tool": ""}, probe=("version",), disk=1
    )
    return GoStep(cache=tmp_path / "cache", label="tool", module=module)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_fetch_is_tried_again(tmp_path: Path, failures: Path, lost: int) -> None:
    failures.write_text(f"{lost}\n")
    _step(tmp_path).build(tmp_path / "built", Shell(tmp_path / "log"))
    _step(tmp_path).verify(tmp_path / "built")


def test_what_cannot_be_fetched_is_reported(tmp_path: Path, failures: Path) -> None:
    failures.write_text("9\n")
    with pytest.raises(CommandError, match="mod download"):
        _step(tmp_path).build(tmp_path / "built", Shell(tmp_path / "log"))
    assert "i/o timeout" in (tmp_path / "log").read_text()
    assert failures.read_text() == "6\n", "three attempts"
