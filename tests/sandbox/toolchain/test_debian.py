"""Packages are looked up, and no service of theirs may start."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.toolchain import debian
from sandbox.toolchain.debian import DebianStep


def test_missing_packages_are_told_from_installed_ones(tmp_path: Path) -> None:
    step = DebianStep(tmp_path, packages=("dpkg", "no-such-package-at-all"))
    assert step.missing() == ["no-such-package-at-all"]
    assert not step.ready()
    assert DebianStep(tmp_path, packages=("dpkg",)).ready()


def test_services_are_forbidden_only_while_packages_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(debian, "_POLICY", policy)

    def install() -> None:
        with debian._no_service_starts():
            assert "exit 101" in policy.read_text()
            assert policy.stat().st_mode & 0o111
            raise RuntimeError("apt failed")

    with pytest.raises(RuntimeError):
        install()
    assert not policy.exists()


def test_a_policy_left_by_a_killed_run_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text(debian._POLICY_TEXT)
    monkeypatch.setattr(debian, "_POLICY", policy)
    with debian._no_service_starts():
        assert policy.exists()
    assert not policy.exists()


def test_the_machines_own_policy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    monkeypatch.setattr(debian, "_POLICY", policy)
    with debian._no_service_starts():
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 101\n"
