"""The installed toolchain is found again, and what is gone is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.toolchain import Toolchain, ToolchainError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path / "state", cache=tmp_path / "cache")


@pytest.fixture
def toolchain(tmp_path: Path, program: Callable[..., Path]) -> Toolchain:
    archive = tmp_path / "pause.tar"
    archive.write_text("")
    bin_folder = program("kubectl", folder="bin").parent
    return Toolchain(bin_folder, {"registry.k8s.io/pause:3.6": archive}, {}, tmp_path)


def test_what_was_saved_is_loaded(config: Config, toolchain: Toolchain) -> None:
    toolchain.save(config)
    assert Toolchain.load(config) == toolchain


def test_before_an_installation_the_remedy_is_told(config: Config) -> None:
    with pytest.raises(ToolchainError, match="not installed") as caught:
        Toolchain.load(config)
    assert "make up" in caught.value.remedy


@pytest.mark.parametrize("text", ["{", "[]", '{"bin": "/bin"}', '{"bin": 3}'])
def test_a_damaged_record_is_told(config: Config, text: str) -> None:
    config.state.mkdir()
    (config.state / "toolchain.json").write_text(text)
    with pytest.raises(ToolchainError, match="is damaged"):
        Toolchain.load(config)


def test_a_missing_part_is_named(config: Config, toolchain: Toolchain) -> None:
    toolchain.save(config)
    archive = toolchain.images["registry.k8s.io/pause:3.6"]
    archive.unlink()
    with pytest.raises(ToolchainError, match=str(archive)):
        Toolchain.load(config)


def test_own_programs_come_before_the_systems(toolchain: Toolchain) -> None:
    assert toolchain.program("kubectl") == toolchain.bin / "kubectl"
    assert toolchain.program("sh").name == "sh"
    with pytest.raises(ToolchainError, match="no-such-program"):
        toolchain.program("no-such-program")
