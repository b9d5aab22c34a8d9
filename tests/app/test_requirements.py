from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPORT = (
    "uv",
    "export",
    "--frozen",
    "-q",
    "--only-group",
    "app",
    "--no-emit-project",
    "--no-header",
    "--no-annotate",
)


def test_the_image_installs_exactly_what_the_lock_says() -> None:
    """`app/requirements.txt` is generated; after a change of dependencies run the command in EXPORT again."""
    exported = subprocess.run(EXPORT, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert (ROOT / "app" / "requirements.txt").read_text() == exported
