"""A cache entry is whole or absent, whatever is killed, broken or run at the same time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain.entry import Entry, fingerprint

_FORK = multiprocessing.get_context("fork")


def _accept(_: Path) -> None:
    """Whatever was built is good."""


def _build(folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "tool").write_text("#!/bin/sh\n")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.01)


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return Entry(tmp_path, "tool-1.0.0")


def test_an_installed_entry_is_intact(entry: Entry) -> None:
    assert not entry.intact()
    entry.install(_build, _accept)
    assert entry.intact()
    assert (entry.path / "bin" / "tool").exists()


def test_an_intact_entry_is_not_built_again(entry: Entry) -> None:
    entry.install(_build, _accept)
    entry.install(lambda _: pytest.fail("built again"), _accept)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: (path / "bin" / "tool").unlink(),
        lambda path: (path / "bin" / "tool").write_text(""),
        lambda path: (path / "bin" / "stray").write_text("x"),
        lambda path: (path / ".complete.json").write_text("{"),
        lambda path: (path / ".complete.json").write_text("[]"),
    ],
    ids=["file gone", "file cut short", "file added", "marker unreadable", "marker of another kind"],
)
def test_a_broken_entry_is_noticed_and_made_anew(entry: Entry, harm: Callable[[Path], None]) -> None:
    entry.install(_build, _accept)
    harm(entry.path)
    assert not entry.intact()
    entry.install(_build, _accept)
    assert entry.intact()
    assert (entry.path / "bin" / "tool").read_text() == "#!/bin/sh\n"
    assert not (entry.path / "bin" / "stray").exists()


def test_what_programs_write_as_they_run_breaks_nothing(entry: Entry) -> None:
    entry.install(_build, _accept)
    (entry.path / "bin" / "__pycache__").mkdir()
    (entry.path / "bin" / "__pycache__" / "tool.pyc").write_text("x")
    assert entry.intact()


def test_a_link_out_of_the_entry_counts_with_what_it_points_at(entry: Entry, tmp_path: Path) -> None:
    outside = tmp_path / "installed"
    outside.write_text("1")
    entry.install(lambda folder: (folder / "tool").symlink_to(outside), _accept)
    assert entry.intact()
    outside.write_text("12")
    assert not entry.intact()
    outside.unlink()
    assert not entry.intact()


def test_a_failed_build_leaves_nothing(entry: Entry) -> None:
    def fail(folder: Path) -> None:
        _build(folder)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        entry.install(fail, _accept)
    assert not entry.path.exists()
    assert not list(entry.cache.glob(".tool-*"))


def test_a_build_that_does_not_work_is_not_kept(entry: Entry) -> None:
    def reject(_: Path) -> None:
        raise RuntimeError("does not run")

    with pytest.raises(RuntimeError):
        entry.install(_build, reject)
    assert not entry.path.exists()


def test_a_working_folder_of_other_origin_is_adopted(entry: Entry) -> None:
    entry.path.mkdir()
    _build(entry.path)
    entry.install(lambda _: pytest.fail("built again"), _accept)
    assert entry.intact()


def test_a_folder_of_other_origin_that_does_not_work_is_replaced(entry: Entry) -> None:
    entry.path.mkdir()

    def verify(folder: Path) -> None:
        if not (folder / "bin" / "tool").exists():
            raise RuntimeError("no tool")

    entry.install(_build, verify)
    assert entry.intact()


def test_a_killed_installation_leaves_nothing_behind_for_the_next(entry: Entry) -> None:
    def hang(folder: Path) -> None:
        _build(folder)
        signal.pause()

    process = _FORK.Process(target=entry.install, args=(hang, _accept))
    process.start()
    _wait(lambda: any(path.joinpath("bin/tool").exists() for path in entry.cache.glob(".tool-*")))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not entry.intact()
    entry.install(_build, _accept)
    assert entry.intact()
    assert not list(entry.cache.glob(".tool-*"))


def test_processes_that_install_at_once_build_once(entry: Entry) -> None:
    def build(folder: Path) -> None:
        with (entry.cache / "builds").open("a") as builds:
            builds.write("x")
        time.sleep(0.2)  # long enough for all to have started
        _build(folder)

    processes = [_FORK.Process(target=entry.install, args=(build, _accept)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    assert (entry.cache / "builds").read_text() == "x"
    assert entry.intact()


def test_equal_folders_have_equal_fingerprints(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _build(tmp_path / name)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
