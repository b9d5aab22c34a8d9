"""The executable `pulumi-language-python`, to be placed beside `pulumi` and `pulumi-language-python-exec`.

The engine looks for the language host next to itself before it warns about one on PATH. `-P` keeps the
program's folder, which is the working directory, off the host's own module path.
"""

from __future__ import annotations

import shlex
from pathlib import Path

NAME = "pulumi-language-python"


def script(python: Path) -> str:
    """The launcher's text for a host that runs under `python` (an interpreter that has this package)."""
    return f"""#!/bin/sh
# Written by the sandbox; rewritten when its virtual environment moves.
here=$(dirname "$(readlink -f "$0")")
python={shlex.quote(str(python))}
if [ ! -x "$python" ]; then
    echo "$python is gone, with the checkout that started the sandbox: uv run sandbox up, in yours" >&2
    exit 127
fi
exec "$python" -P -m {__package__} --exec "$here/{NAME}-exec" "$@"
"""
