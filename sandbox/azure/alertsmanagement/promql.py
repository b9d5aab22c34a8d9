"""Whether Prometheus takes a group's rules: promtool parses them with Prometheus' own code."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

#: Seconds that promtool may take.
_PATIENCE = 20.0
_RULE = re.compile(r'group "[^"]*", rule (\d+), (?:"[^"]*": )?(.*)')
#: Fields of a rule, and what Prometheus calls them.
_FIELDS = {
    "alert": "alert",
    "record": "record",
    "expression": "expr",
    "labels": "labels",
    "annotations": "annotations",
}


async def problem(rules: Iterable[dict[str, Any]]) -> tuple[int, str] | None:
    """(number of the rule, from 0, and what is wrong with it); None when all are right, or when there is no
    promtool on this machine."""
    promtool = shutil.which("promtool")
    if promtool is None:
        return None
    written = [
        {wire: rule[name] for name, wire in _FIELDS.items() if rule.get(name) not in (None, "")}
        for rule in rules
    ]
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "group", "rules": written}]}))
        process = await asyncio.create_subprocess_exec(
            promtool,
            "check",
            "rules",
            str(file),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == 0:
        return None
    text = said.decode(errors="replace").replace(str(file), "rules")
    match = _RULE.search(text)
    return (int(match[1]) - 1, match[2].strip()) if match else (0, text.strip())
