"""Rules that workflows keep, and the linters that hold the rest."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sandbox.toolchain.versions import versions
from tests.sandbox.engine.conftest import tool
from tests.workflows.blocks import ROOT, WORKFLOWS, blocks, steps, workflows

_PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_OURS = re.compile(r"uses: \./\.github/")
#: What a runner sets, and what bash does.
_KNOWN = {"GITHUB_STEP_SUMMARY", "PATH", "PWD"}


def actionlint(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(tool("actionlint")), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def zizmor(target: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", "--quiet", str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_actionlint_finds_nothing() -> None:
    found = actionlint()
    assert found.returncode == 0, found.stdout


def test_zizmor_finds_nothing() -> None:
    found = zizmor(ROOT / ".github")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("before", "after", "finder"),
    [
        ("@532459ea530d8321f2fb9bb10d1e0bcf23869a43 # v3.0.0", "@v3", zizmor),
        ('run: make preview BASE="$BASE"', "run: make preview BASE=${{ github.head_ref }}", zizmor),
        ("timeout-minutes: 45", "timeout-minutes: soon", actionlint),
        ("vars.AZURE_TENANT_ID", "needs.none.outputs.x", actionlint),
    ],
)
def test_the_linters_do_find(tmp_path: Path, before: str, after: str, finder: object) -> None:
    text = (WORKFLOWS / "preview.yml").read_text()
    assert before in text
    file = tmp_path / ".github" / "workflows" / "preview.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(before, after))
    assert finder(file).returncode != 0  # type: ignore[operator]


def test_actions_are_pinned_by_digest_and_say_their_version() -> None:
    lines = [line.strip() for path in WORKFLOWS.glob("*.yml") for line in path.read_text().splitlines()]
    used = [line.removeprefix("- ") for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not _PINNED.match(line) and not _OURS.match(line)] == []


def test_one_action_is_of_one_version_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for _, _, step in steps():
        if "uses" in step:
            action, _, digest = step["uses"].partition("@")
            found.setdefault(action, set()).add(digest)
    assert {action: digests for action, digests in found.items() if len(digests) > 1} == {}


def test_nothing_is_allowed_but_what_a_job_asks_for() -> None:
    for name, workflow in workflows().items():
        assert workflow["permissions"] == {}, name
        for job, definition in workflow["jobs"].items():
            assert definition["permissions"], f"{name}: {job}"


def test_jobs_that_run_a_changes_code_may_not_write() -> None:
    for job, definition in workflows()["preview.yml"]["jobs"].items():
        writes = {scope for scope, access in definition["permissions"].items() if access == "write"}
        assert writes <= {"id-token"}, job


def test_jobs_end_and_do_not_overlap() -> None:
    for name, workflow in workflows().items():
        called = "workflow_call" in workflow[True]
        assert called or "concurrency" in workflow, name
        for job, definition in workflow["jobs"].items():
            assert "uses" in definition or definition["timeout-minutes"] <= 240, f"{name}: {job}"


def test_deployments_are_never_interrupted() -> None:
    assert workflows()["deploy.yml"]["concurrency"]["cancel-in-progress"] is False


def test_blocks_run_in_a_bash_that_stops_at_errors() -> None:
    for name, workflow in workflows().items():
        assert workflow["defaults"]["run"]["shell"] == "bash", name


def test_blocks_read_only_variables_that_they_are_given() -> None:
    for key, block in blocks().items():
        assigned = set(re.findall(r"^\s*(\w+)=", block.script, re.MULTILINE))
        read = set(re.findall(r"\$\{?(\w+)", block.script))
        assert read - assigned - block.environment - _KNOWN == set(), key


def test_no_block_holds_an_expression() -> None:
    """What GitHub puts into a script is run; variables are not."""
    assert [key for key, block in blocks().items() if "${{" in block.script] == []


def test_every_block_is_run_by_a_test() -> None:
    called = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "block":
                called.add(tuple(ast.literal_eval(argument) for argument in node.args))
    assert called == set(blocks())


def test_the_pulumi_of_workflows_is_the_one_of_the_sandbox() -> None:
    wanted = versions().go["pulumi"].version
    used = [
        step["with"]["pulumi-version"] for _, _, step in steps() if "pulumi/actions" in step.get("uses", "")
    ]
    assert set(used) == {wanted}


def test_dependabot_keeps_the_digests_fresh() -> None:
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert [update["package-ecosystem"] for update in config["updates"]] == ["github-actions"]
