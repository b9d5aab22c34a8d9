"""Files that a command leaves behind, as assets; chosen by the globs that gobwas/glob understands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pulumi.runtime import rpc

from sandbox.engine.failures import PlugError
from sandbox.engine.values import SIGNATURE, Asset

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<super>\*\*)|(?P<star>\*)|(?P<any>\?)|(?P<set>\[[^\]]+\])|(?P<brace>[{},])"
)


def assets(directory: Path, globs: Sequence[str]) -> dict[str, Asset]:
    """Path below `directory` -> asset, for the files the rules choose; `!` takes files out again."""
    rules = [(glob.startswith("!"), compiled(glob.removeprefix("!"))) for glob in globs]
    found = {}
    for path in _files(directory):
        name = path.relative_to(directory).as_posix()
        chosen = False
        for exclude, pattern in rules:
            if pattern.fullmatch(name):
                chosen = not exclude
        if chosen:
            found[name] = file_asset(path)
    return found


def archive(found: dict[str, Asset]) -> Asset:
    return Asset({SIGNATURE: rpc._special_archive_sig, "assets": found})  # noqa: SLF001


def file_asset(path: Path) -> Asset:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Asset({SIGNATURE: rpc._special_asset_sig, "path": str(path), "hash": digest})  # noqa: SLF001


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.rglob("*")) if not path.is_dir())


def compiled(glob: str) -> re.Pattern[str]:
    """A glob with separator `/` as a regular expression. Raises PlugError when it is malformed."""
    text, position, depth = "", 0, 0
    for match in _TOKEN.finditer(glob):
        text += re.escape(glob[position : match.start()])
        position = match.end()
        depth += {"{": 1, "}": -1}.get(match["brace"] or "", 0)
        text += _translated(match, inside=depth > 0)
    text += re.escape(glob[position:])
    if depth:
        raise PlugError(f"the path pattern {glob!r} is malformed: unbalanced braces")
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise PlugError(f"the path pattern {glob!r} is malformed: {error}") from error


def _translated(match: re.Match[str], *, inside: bool) -> str:
    if match["escaped"]:
        return re.escape(match["escaped"])
    if match["set"]:
        return re.sub(r"^\[!", "[^", match["set"])
    braces = {"{": "(?:", "}": ")", ",": "|" if inside else ","}
    plain = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return {**braces, **plain}[match[0]]
