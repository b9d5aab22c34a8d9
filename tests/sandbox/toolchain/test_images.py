"""Images are archives under their upstream names; a new set replaces the old one."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from sandbox.toolchain.buildah import check_archive
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.images import SystemImagesStep

PAUSE = "registry.k8s.io/pause:3.6"


def _archive(path: Path, image: str) -> Path:
    annotations = {"org.opencontainers.image.ref.name": image}
    index = json.dumps({"manifests": [{"annotations": annotations}]}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("index.json")
        member.size = len(index)
        tar.addfile(member, io.BytesIO(index))
    return path


def _step(cache: Path, pause: str = PAUSE) -> SystemImagesStep:
    return SystemImagesStep(cache, pause=pause, programs_of={}, others={})


def test_an_archive_that_holds_its_image_is_accepted(tmp_path: Path) -> None:
    check_archive(_archive(tmp_path / "pause.tar", PAUSE), PAUSE)


def test_an_archive_of_another_image_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"holds other:1, not registry"):
        check_archive(_archive(tmp_path / "pause.tar", "other:1"), PAUSE)


@pytest.mark.parametrize(
    "content", [b"", b"not an archive", b"\0" * 10240], ids=["empty", "text", "no index"]
)
def test_a_broken_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pause.tar"
    path.write_bytes(content)
    with pytest.raises(ToolchainError, match="is no image archive"):
        check_archive(path, PAUSE)


def test_the_version_follows_from_what_goes_in(tmp_path: Path) -> None:
    assert _step(tmp_path).version == _step(tmp_path).version
    assert _step(tmp_path).version != _step(tmp_path, "registry.k8s.io/pause:3.7").version


def test_a_new_set_replaces_the_old_one(tmp_path: Path) -> None:
    step, old = _step(tmp_path), tmp_path / "images-0000"
    _archive(old / "pause.tar", PAUSE)
    step.drop_superseded()
    assert old.exists(), "as long as there is no new one, the old one stays"

    def build(folder: Path) -> None:
        _archive(folder / "pause.tar", PAUSE)

    step.entry.install(build, step.verify)
    step.drop_superseded()
    assert not old.exists()
    assert step.ready()
