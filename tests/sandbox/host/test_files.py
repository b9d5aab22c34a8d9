"""Writes that a kill cannot halve, and locks that survive the locked file's replacement."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from sandbox.host import files


def test_write_replaces_the_file_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    files.write(path, "old", mode=0o600)
    files.write(path, "new", mode=0o600)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_a_failed_write_leaves_the_old_content_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    files.write(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_if_changed_says_whether_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert files.write_if_changed(path, "a")
    before = path.stat().st_ino
    assert not files.write_if_changed(path, "a")
    assert path.stat().st_ino == before
    assert files.write_if_changed(path, "b")


def test_rewrite_keeps_mode_and_follows_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    files.rewrite(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_rewrite_writes_in_place_where_a_rename_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mounted"
    path.write_text("a longer old content")
    inode = path.stat().st_ino

    def busy(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    files.rewrite(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [path]


def test_no_update_is_lost_when_many_replace_the_locked_file(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    path.write_text("0")

    def add() -> None:
        for _ in range(25):
            with files.locked(path):
                files.rewrite(path, str(int(path.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() == "100"
