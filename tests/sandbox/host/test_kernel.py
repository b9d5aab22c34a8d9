"""Kernel limits: raised where they are too low, put back unless someone else has changed them since."""

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
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path / "state")


def test_a_low_limit_is_raised_and_put_back(limit: Path, config: Config) -> None:
    kernel.raise_limits(config)
    kernel.raise_limits(config)
    assert limit.read_text() == "1024\n"
    kernel.restore_limits(config)
    kernel.restore_limits(config)
    assert limit.read_text() == "128\n"


def test_a_high_limit_is_left_alone(limit: Path, config: Config) -> None:
    limit.write_text("4096\n")
    kernel.raise_limits(config)
    kernel.restore_limits(config)
    assert limit.read_text() == "4096\n"
    assert not config.state.exists()


def test_after_a_reboot_what_it_was_is_still_known(limit: Path, config: Config) -> None:
    kernel.raise_limits(config)
    limit.write_text("128\n")
    kernel.raise_limits(config)
    assert limit.read_text() == "1024\n"
    kernel.restore_limits(config)
    assert limit.read_text() == "128\n"


def test_what_someone_else_set_meanwhile_stays(limit: Path, config: Config) -> None:
    kernel.raise_limits(config)
    limit.write_text("2048\n")
    kernel.restore_limits(config)
    assert limit.read_text() == "2048\n"
