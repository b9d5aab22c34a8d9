"""Container images of the cluster's own parts, made from programs of the toolchain, as OCI archives.

No registry is asked: the images carry upstream's names and hold the same program at the same version.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.buildah import Buildah, check_archive, recipe
from sandbox.toolchain.shell import Shell, make_folder
from sandbox.toolchain.step import EntryStep
from sandbox.toolchain.versions import FOLDER

_PAUSE = FOLDER / "pause" / "main.go"
_USERS = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"


@dataclass(frozen=True, kw_only=True)
class SystemImagesStep(EntryStep):
    """`pause` is the reference of the pause image; `programs_of` maps other references to their program.

    `others` are archives made elsewhere, by reference, which join the set.
    """

    pause: str
    programs_of: Mapping[str, Path]
    others: Mapping[str, Path]

    supersedes = True

    @property
    def name(self) -> str:
        return "images"

    @property
    def version(self) -> str:
        others = [(image, path.parent.name) for image, path in self.others.items()]
        return recipe(self.pause, list(self.programs_of), others, _PAUSE, Path(__file__))

    @property
    def disk(self) -> int:
        return 800

    @property
    def remedy(self) -> str:
        return "Check that `buildah --version` works and that the cache's file system has room."

    def archives(self) -> Mapping[str, Path]:
        """Reference of each image made here -> its archive."""
        return {image: self.entry.path / _file(image) for image in [self.pause, *self.programs_of]}

    def build(self, target: Path, shell: Shell) -> None:
        work = target / "work"
        make_folder(work)
        shell.run("go", "build", "-ldflags=-s -w", "-o", work / "pause", _PAUSE, env={"CGO_ENABLED": "0"})
        for image, program in {self.pause: work / "pause", **self.programs_of}.items():
            tree = work / f"{program.name}-root"
            _tree(tree, program)
            with Buildah(work / "storage", shell) as buildah:
                self._image(buildah, image, tree, [f"/{program.name}"], target / _file(image))
        shutil.rmtree(work)
        for image, archive in self.others.items():
            (target / _file(image)).hardlink_to(archive)

    def verify(self, folder: Path) -> None:
        for image in [*self.archives(), *self.others]:
            check_archive(folder / _file(image), image)

    @staticmethod
    def _image(buildah: Buildah, image: str, tree: Path, entrypoint: Sequence[str], archive: Path) -> None:
        container = buildah.create()
        buildah.copy(container, tree)
        buildah.configure(container, entrypoint=entrypoint, env={"PATH": "/"})
        buildah.save(container, image, archive)


def _tree(folder: Path, program: Path) -> None:
    """A root folder with the program, a world-writable /tmp and names for the usual users."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "passwd").write_text(_USERS)
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    shutil.copy(program.resolve(), folder / program.name)


def _file(image: str) -> str:
    """`registry.k8s.io/coredns/coredns:v1` -> `coredns.tar`."""
    return f"{image.rpartition('/')[2].partition(':')[0]}.tar"
