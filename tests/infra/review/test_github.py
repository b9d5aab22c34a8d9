"""Comments and issues, at a GitHub over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.review import github
from infra.review.markdown import LIMIT, MARKER
from tests.infra.review.fake_github import FakeGitHub, serving

ROOT = Path(__file__).parents[3]
_HEAD = ("--owner", "fork", "--branch", "change", "--commit", "c" * 40)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """With pull request 7, from a fork."""
    made = FakeGitHub(
        pulls=[{"number": 7, "head": {"owner": "fork", "ref": "change", "sha": "c" * 40}}],
        comments={7: [{"id": n, "user": {"type": "User"}, "body": "a word"} for n in range(150)]},
    )
    with serving(made):
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


def reports(hub: FakeGitHub) -> list[str]:
    return [comment["body"] for comment in hub.comments[7] if comment["user"]["type"] == "Bot"]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "preview.md"
    file.write_text(f"{MARKER}\n\n# What this change would do\n")
    return file


def test_there_is_one_comment_updated_in_place(hub: FakeGitHub, report: Path) -> None:
    assert github.main(["comment", str(report), *_HEAD]) == 0
    report.write_text("# Something else\n")
    assert github.main(["comment", str(report), *_HEAD]) == 0
    (only,) = reports(hub)
    assert only.startswith(f"{MARKER}\n# Something else")
    assert "Rendered by the change's own code at cccccccccccc" in only


def test_what_somebody_quotes_is_not_taken_for_the_comment(hub: FakeGitHub, report: Path) -> None:
    hub.comments[7].append({"id": 999, "user": {"type": "User"}, "body": f"> {MARKER}"})
    github.main(["comment", str(report), *_HEAD])
    assert len(reports(hub)) == 1
    assert hub.comments[7][-2]["body"] == f"> {MARKER}"


def test_a_pull_request_that_has_moved_on_is_left_alone(
    hub: FakeGitHub, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.pulls[0]["head"]["sha"] = "d" * 40
    assert github.main(["comment", str(report), *_HEAD]) == 0
    assert not reports(hub)
    assert "nothing to do" in capsys.readouterr().out


def test_a_report_that_is_too_long_is_cut(hub: FakeGitHub, report: Path) -> None:
    report.write_text("x" * 100_000)
    assert github.main(["comment", str(report), *_HEAD]) == 0
    assert len(reports(hub)[0]) <= LIMIT


def test_a_refusal_is_told(
    hub: FakeGitHub, report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    assert github.main(["comment", str(report), *_HEAD]) == 1
    assert "was answered 401" in capsys.readouterr().err
    monkeypatch.delenv("GITHUB_TOKEN")
    assert github.main(["comment", str(report), *_HEAD]) == 1
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err


def drifting(folder: Path, **stacks: str) -> Path:
    for stack, text in stacks.items():
        (folder / f"drift-{stack}").mkdir(parents=True, exist_ok=True)
        (folder / f"drift-{stack}" / "drift.txt").write_text(text)
    return folder


def test_drift_opens_one_issue_updates_it_and_closes_it(hub: FakeGitHub, tmp_path: Path) -> None:
    github.main(["drift", str(drifting(tmp_path, dev="", prod="~ cosmos"))])
    (issue,) = hub.issues
    assert (issue["title"], issue["state"], issue["labels"]) == ("prod has drifted", "open", ["drift"])
    assert "~ cosmos" in issue["body"]
    github.main(["drift", str(drifting(tmp_path, dev="", prod="~ vault"))])
    (issue,) = hub.issues
    assert "~ vault" in issue["body"]
    github.main(["drift", str(drifting(tmp_path, dev="", prod=""))])
    (issue,) = hub.issues
    assert issue["state"] == "closed"


def test_a_stack_that_could_not_be_looked_at_keeps_its_issue(hub: FakeGitHub, tmp_path: Path) -> None:
    github.main(["drift", str(drifting(tmp_path / "first", prod="~ cosmos"))])
    github.main(["drift", str(drifting(tmp_path / "second", dev=""))])
    (issue,) = hub.issues
    assert issue["state"] == "open"


def test_a_long_drift_fits_into_an_issue(hub: FakeGitHub, tmp_path: Path) -> None:
    assert github.main(["drift", str(drifting(tmp_path, prod="`" * 200_000))]) == 0
    assert len(hub.issues[0]["body"]) <= LIMIT


def test_it_needs_nothing_but_python(hub: FakeGitHub, tmp_path: Path) -> None:
    """A runner's own Python has none of our packages: -I and -S take them away here."""
    code = "import sys; sys.path[:0] = [sys.argv.pop(1)]; from infra.review import github; github.main()"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT), "drift", str(drifting(tmp_path, dev="~ x"))],
        env=hub.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert hub.issues[0]["title"] == "dev has drifted"
