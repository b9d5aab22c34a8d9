"""The file of versions is complete, consistent with the lock files, and faults in it are named."""

from __future__ import annotations

import json
import re

import pytest

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.versions import FILE, FOLDER, parse, versions

_EXACT = re.compile(r"\d+\.\d+\.\d+")


def test_every_version_is_exact() -> None:
    pinned = versions()
    assert all(_EXACT.fullmatch(module.version) for module in pinned.go.values())
    assert all(_EXACT.fullmatch(version) for version in pinned.npm.values())


def test_npm_names_the_same_versions() -> None:
    described = json.loads((FOLDER / "npm" / "package.json").read_text())
    assert described["dependencies"] == dict(versions().npm)
    locked = json.loads((FOLDER / "npm" / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in versions().npm} == dict(
        versions().npm
    )


def test_npm_locks_every_package_by_its_digest_and_names_no_place() -> None:
    locked = json.loads((FOLDER / "npm" / "package-lock.json").read_text())["packages"]
    packages = [package for name, package in locked.items() if name]
    assert len(packages) > 100
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_the_azure_cli_is_locked_at_the_pinned_version() -> None:
    lines = (FOLDER / "azure-cli.lock.txt").read_text().splitlines()
    assert f"azure-cli=={versions().python.azure_cli}" in lines
    assert all("==" in line for line in lines if line and not line.lstrip().startswith("#"))


def test_the_kubernetes_version_has_published_staging_modules() -> None:
    assert versions().go["kubernetes"].version.startswith("1.")


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda text: text.replace('uv = "', 'uvv = "'), "python.uv: Field required"),
        (lambda text: text.replace('node = "20', 'nodes = "20'), "requires.nodes: Extra inputs"),
        (lambda text: text.replace("memory = 6", 'memory = "six"'), "requires.memory"),
        (lambda text: text + "[", "key"),
    ],
    ids=["missing", "misspelt", "ill-typed", "no TOML"],
)
def test_a_fault_is_named_with_its_key(harm, named: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ToolchainError) as caught:
        parse(harm(FILE.read_text()))
    assert named in caught.value.message
    assert "versions.toml" in caught.value.message
