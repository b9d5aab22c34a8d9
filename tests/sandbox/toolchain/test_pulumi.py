"""An installed Pulumi is preferred, if it can run Python programs; the view gives a built one its host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.toolchain.pulumi import LANGUAGE_HOST, PulumiStep
from sandbox.toolchain.shell import Shell
from sandbox.toolchain.versions import versions
from sandbox.toolchain.view import refresh

Make = Callable[..., Path]
_SCRIPTS = ("pulumi-language-python-exec", "pulumi-resource-pulumi-python")
PINNED = versions().go["pulumi"].version


@pytest.fixture
def step(tmp_path: Path) -> PulumiStep:
    return PulumiStep(tmp_path / "cache", label="pulumi", module=versions().go["pulumi"])


def _installed(program: Make, monkeypatch: pytest.MonkeyPatch, version: str, *beside: str) -> Path:
    path = program("pulumi", f"v{version}", folder="installed")
    for name in beside:
        program(name, folder="installed")
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return path


def test_an_installed_pulumi_is_linked_with_all_that_lies_beside_it(
    step: PulumiStep, program: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = _installed(program, monkeypatch, PINNED, LANGUAGE_HOST, *_SCRIPTS)
    step.run(Shell(tmp_path / "log"))
    assert step.ready()
    assert {link.name for link in (step.entry.path / "bin").iterdir()} == {"pulumi", LANGUAGE_HOST, *_SCRIPTS}
    assert (step.entry.path / "bin" / "pulumi").readlink() == path
    assert LANGUAGE_HOST in step.programs


@pytest.mark.parametrize(
    ("version", "beside"),
    [("3.1.0", (LANGUAGE_HOST, *_SCRIPTS)), (PINNED, _SCRIPTS), (PINNED, (LANGUAGE_HOST,))],
    ids=["too old", "without language host", "without its scripts"],
)
def test_an_unsuitable_pulumi_is_not_used(
    step: PulumiStep, program: Make, monkeypatch: pytest.MonkeyPatch, version: str, beside: tuple[str, ...]
) -> None:
    _installed(program, monkeypatch, version, *beside)
    assert step.find() is None


def test_a_built_pulumi_gets_the_sandboxs_language_host_beside_it(
    step: PulumiStep, program: Make, tmp_path: Path
) -> None:
    built = step.entry.path / "bin"
    built.mkdir(parents=True)
    for name in ("pulumi", *_SCRIPTS):
        program(name, folder="other").rename(built / name)
    view = step.cache / "bin"
    view.mkdir()
    (view / "stale").symlink_to("/nowhere")
    for _ in range(2):
        refresh(view, SimpleNamespace(entries=[step]))  # type: ignore[arg-type]
        assert {path.name for path in view.iterdir()} == {"pulumi", LANGUAGE_HOST, *_SCRIPTS}
        # The engine finds its host beside its own file, so that may be no link.
        assert not (view / "pulumi").is_symlink()
        assert (view / "pulumi").samefile(built / "pulumi")
        assert "sandbox.engine.language_host" in (view / LANGUAGE_HOST).read_text()
