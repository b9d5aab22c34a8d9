"""The executable beside `pulumi` runs what it was written for, or says what became of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandbox.engine.language_host import launcher


def run(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    host = folder / launcher.NAME
    host.write_text(launcher.script(python))
    host.chmod(0o755)
    return subprocess.run([host, "127.0.0.1:1"], capture_output=True, text=True, check=False)


def test_it_runs_the_host_with_what_the_engine_gives(tmp_path: Path) -> None:
    python = tmp_path / "a python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    beside = f"--exec {tmp_path}/{launcher.NAME}-exec"
    assert run(tmp_path, python).stdout == f"-P -m sandbox.engine.language_host {beside} 127.0.0.1:1\n"


def test_a_checkout_that_was_removed_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "checkout" / ".venv" / "bin" / "python"
    done = run(tmp_path, gone)
    assert done.returncode == 127
    assert f"{gone} is gone" in done.stderr
    assert "uv run sandbox up" in done.stderr
