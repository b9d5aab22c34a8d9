"""Every command of this project that docs/recovery.md names exists, and has the options that it is given."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.runbook.pages import RECOVERY, ROOT

TEXT = RECOVERY.read_text()
_MODULE = re.compile(r"(?:uv run )?python -m ((?:infra|app|drills)[\w.]*)([^\n`|;]*)")
_SETTING = re.compile(r"agents:([a-z_]+(?:\.[a-z_]+)*)")


def _called() -> list[tuple[str, tuple[str, ...]]]:
    """Modules and what they are given, without what a shell does with their output."""
    return sorted(
        {
            (module, tuple(shlex.split(re.split(r"[>#)]", rest)[0], comments=True)))
            for module, rest in _MODULE.findall(TEXT)
        }
    )


def _words(module: str) -> set[str]:
    """All texts in the module's source: names of options and of what it can be told to do are among them."""
    found = importlib.util.find_spec(module)
    assert found is not None, module
    if found.submodule_search_locations is not None:
        found = importlib.util.find_spec(f"{module}.__main__")
    assert found is not None, module
    assert found.origin is not None, module
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize(("module", "arguments"), _called(), ids=str)
def test_a_command_takes_what_it_is_given(module: str, arguments: tuple[str, ...]) -> None:
    known = _words(module)
    for argument in arguments:
        if argument.startswith("-"):
            assert argument in known
    if module == "infra.recovery.state":
        assert arguments[0] in known


def test_the_commands_are_there_to_be_judged() -> None:
    assert {"infra.recovery", "infra.recovery.state", "infra.recovery.adopt", "infra.recovery.settle"} <= {
        module for module, _ in _called()
    }
    assert "infra.recovery.state fetch" in TEXT


@pytest.mark.parametrize("setting", sorted(set(_SETTING.findall(TEXT))))
def test_a_setting_that_it_names_is_one(setting: str) -> None:
    known = yaml.safe_load((ROOT / "docs" / "settings.yaml").read_text())["config"]
    first, *rest = setting.split(".")
    assert f"agents:{first}" in known
    section = known[f"agents:{first}"]
    for key in rest:
        assert key in section
        section = section[key]


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"tests/\w+/\w+\.py|\.github/workflows/\w+\.yml", TEXT)))
)
def test_a_file_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()
