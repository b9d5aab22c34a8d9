"""Globs choose as gobwas/glob does."""

from pathlib import Path

import pytest

from sandbox.engine.command.files import assets, compiled
from sandbox.engine.failures import PlugError


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("*", "a.txt", True),
        ("*", "sub/a.txt", False),
        ("**", "sub/a.txt", True),
        ("src/**.js", "src/deep/x.js", True),
        ("src/*.js", "src/deep/x.js", False),
        ("?.txt", "a.txt", True),
        ("[!b].txt", "a.txt", True),
        ("[!a].txt", "a.txt", False),
        ("{a,b*}.txt", "bc.txt", True),
        ("{a,b}.txt", "c.txt", False),
        ("a,b", "a,b", True),
        (r"\*.txt", "*.txt", True),
        (r"\*.txt", "a.txt", False),
        ("a.txt", "aXtxt", False),
    ],
)
def test_globs(glob: str, path: str, matches: bool) -> None:
    assert bool(compiled(glob).fullmatch(path)) == matches


def test_rules_are_applied_in_order(tmp_path: Path) -> None:
    for name in ("assets/logo.svg", "src/index.js", "src/secret.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(assets(tmp_path, ["assets/**", "src/**.js", "!**secret.*"])) == [
        "assets/logo.svg",
        "src/index.js",
    ]
    assert list(assets(tmp_path, ["!**secret.*", "src/**"])) == ["src/index.js", "src/secret.js"]


def test_a_malformed_pattern_is_named() -> None:
    with pytest.raises(PlugError, match=r"'\{a' is malformed"):
        compiled("{a")
