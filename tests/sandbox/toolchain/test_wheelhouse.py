"""What image builds install lies in one folder that pip and apt take for their index."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.versions import versions
from sandbox.toolchain.wheelhouse import CONFIGURATION, WheelhouseStep, _stanza

ROOT = Path(__file__).parents[3]


def _step(folder: Path) -> WheelhouseStep:
    return WheelhouseStep(folder, project=ROOT, pip="1", python="3.11", packages=("libltdl7",))


def _fill(folder: Path) -> None:
    for name in (*CONFIGURATION, "Packages", "a-1-py3-none-any.whl", "libltdl7_2_amd64.deb"):
        (folder / name).touch()


@pytest.mark.parametrize("lost", [*CONFIGURATION, "Packages", "a-1-py3-none-any.whl", "libltdl7_2_amd64.deb"])
def test_a_folder_that_lacks_anything_is_not_taken(tmp_path: Path, lost: str) -> None:
    _fill(tmp_path)
    _step(tmp_path).verify(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(ToolchainError, match="not complete"):
        _step(tmp_path).verify(tmp_path)


def test_the_index_says_of_a_package_what_apt_checks(tmp_path: Path) -> None:
    deb = tmp_path / "libx_1_amd64.deb"
    deb.write_bytes(b"package")
    shell: Any = SimpleNamespace(read=lambda *_: "Package: libx\nVersion: 1\n\n")
    assert _stanza(deb, shell).splitlines() == [
        "Package: libx",
        "Version: 1",
        "Filename: ./libx_1_amd64.deb",
        "Size: 7",
        "SHA256: bc4a71180870f7945155fbb02f4b0a2e3faa2a62d6d31b7039013055ed19869a",
    ]


def test_the_packages_are_those_of_the_dockerfile() -> None:
    text = (ROOT / "Dockerfile").read_text()
    installed = [
        name
        for line in re.findall(r"apt-get install ([^&]+)", text)
        for name in line.split()
        if not name.startswith("-")
    ]
    assert set(installed) == set(versions().images.application)
