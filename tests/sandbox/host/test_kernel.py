"""Kernel limits: raised where they are too low, put back by the last sandbox to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import kernel

NAME = "fs/inotify/max_user_instances"


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sys" / NAME
    path.parent.mkdir(parents=True)
    path.write_text("128\n")
    monkeypatch.setattr(kernel, "_PROC", tmp_path / "sys")
    monkeypatch.setattr(kernel, "_NOTES", tmp_path / "notes")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path / "state", netns="one")


def test_a_low_limit_is_raised_and_put_back(limit: Path, config: Config, tmp_path: Path) -> None:
    kernel.raise_limits(config)
    kernel.raise_limits(config)
    assert limit.read_text() == "1024\n"
    kernel.restore_limits(config)
    kernel.restore_limits(config)
    assert limit.read_text() == "128\n"
    assert not (tmp_path / "notes").exists()


def test_a_high_limit_is_left_alone(limit: Path, config: Config) -> None:
    limit.write_text("4096\n")
    kernel.raise_limits(config)
    kernel.restore_limits(config)
    assert limit.read_text() == "4096\n"


@pytest.mark.parametrize("first", ["one", "two"])
def test_the_last_sandbox_to_go_puts_it_back(limit: Path, first: str, tmp_path: Path) -> None:
    both = {name: Config(state=tmp_path / name, netns=name) for name in ("one", "two")}
    for config in both.values():
        kernel.raise_limits(config)
    kernel.restore_limits(both.pop(first))
    assert limit.read_text() == "1024\n"
    kernel.restore_limits(both.popitem()[1])
    assert limit.read_text() == "128\n"


def test_what_someone_else_set_meanwhile_stays(limit: Path, config: Config) -> None:
    kernel.raise_limits(config)
    limit.write_text("2048\n")
    kernel.restore_limits(config)
    assert limit.read_text() == "2048\n"
