"""Hot reload from a folder that changes as a mounted ConfigMap does."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from app.dependency import DependencyError
from app.prompts.library import Library, read
from app.prompts.prompt import PromptError
from app.prompts.reload import Watched
from tests.app.conftest import PROMPTS

GOOD = (PROMPTS / "compose.md").read_text(encoding="utf-8")
NEWER = GOOD.replace("version: 2.0.0", "version: 2.0.1")


class Mount:
    """A ConfigMap as the kubelet mounts it: files are links through `..data`, which is swapped at once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._number = folder, 0

    def put(self, **files: str) -> None:
        self._number += 1
        version = self.folder / f"..version-{self._number}"
        version.mkdir()
        for name, text in files.items():
            (version / f"{name}.md").write_text(text)
            link = self.folder / f"{name}.md"
            if not link.is_symlink():
                link.symlink_to(Path("..data") / f"{name}.md")
        swap = self.folder / "..data_tmp"
        swap.symlink_to(version.name)
        swap.rename(self.folder / "..data")


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    mount = Mount(tmp_path)
    mount.put(compose=GOOD)
    return mount


@pytest.fixture
def watched(mount: Mount) -> Watched[Library]:
    return Watched("reloading", mount.folder, partial(read, pins={}, trials={}))


def _version(watched: Watched[Library]) -> str:
    return watched.current.served("compose").meta.version


def _metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"agent": "reloading", **labels}) or 0


async def test_a_new_version_is_taken_over(mount: Mount, watched: Watched[Library]) -> None:
    before = _metric("prompt_reloads_total", outcome="accepted")
    watched.refresh()
    assert _version(watched) == "2.0.0"
    mount.put(compose=NEWER)
    watched.refresh()
    watched.refresh()
    assert _version(watched) == "2.0.1"
    assert _metric("prompt_reloads_total", outcome="accepted") == before + 1
    await watched.check()


async def test_a_broken_version_never_replaces_a_working_one(mount: Mount, watched: Watched[Library]) -> None:
    before = _metric("prompt_reloads_total", outcome="refused")
    mount.put(compose=NEWER.replace("{{ message }}", "{{ mesage }}"))
    watched.refresh()
    watched.refresh()
    assert _version(watched) == "2.0.0"
    with pytest.raises(DependencyError, match="mesage"):
        await watched.check()
    assert _metric("prompts_stale") == 1
    assert _metric("prompt_reloads_total", outcome="refused") == before + 1
    mount.put(compose=NEWER)
    watched.refresh()
    await watched.check()
    assert (_version(watched), _metric("prompts_stale")) == ("2.0.1", 0)


async def test_taking_a_broken_version_back_is_all_well(mount: Mount, watched: Watched[Library]) -> None:
    (mount.folder / "other.md").write_text("nonsense")
    watched.refresh()
    with pytest.raises(DependencyError, match="other"):
        await watched.check()
    (mount.folder / "other.md").unlink()
    watched.refresh()
    await watched.check()


def test_what_cannot_be_used_at_the_start_is_an_error(mount: Mount) -> None:
    mount.put(compose="nonsense")
    with pytest.raises(PromptError, match="front matter"):
        Watched("reloading", mount.folder, partial(read, pins={}, trials={}))


async def test_the_watch_takes_over_by_itself_until_it_ends(mount: Mount, watched: Watched[Library]) -> None:
    before = asyncio.all_tasks()
    async with watched.watching(0.01):
        mount.put(compose=NEWER)
        deadline = time.monotonic() + 10
        while _version(watched) != "2.0.1":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
