"""Becoming root: the sandbox's commands start over through sudo when they are not."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence

from sandbox.toolchain.errors import ToolchainError

#: What the caller says about proxies, package sources, caches, the sandbox itself and the cloud that it is
#: (for commands that are run in it) must not get lost.
_KEPT = re.compile(
    r"AGENTS_SANDBOX_.*|A(ZURE|RM)_.*|KUBECONFIG|GO[A-Z0-9]+|CGO_.*|PIP_.*|UV|UV_.*|NPM_.*|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_.*"
    r"|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|CI|TERM|NO_COLOR|LANG|LC_.*"
)


def become_root(module: str, arguments: Sequence[str]) -> None:
    """Return when we are root; else replace this process by `python -m module arguments` under sudo.

    sudo tells who the user is, so that caches stay in that user's home and are that user's files.
    """
    if os.geteuid() == 0:
        return
    sudo = shutil.which("sudo")
    if sudo is None:
        raise ToolchainError(
            "The sandbox needs root, for network namespaces and packages, and there is no sudo.",
            remedy="Run it as root, or install sudo and allow yourself its use.",
        )
    kept = sorted(name for name in os.environ if _KEPT.fullmatch(name))
    path = f"PATH={os.environ.get('PATH', os.defpath)}"
    # sudo sets PATH to its own; `env` sets it back. Root's bytecode has no place in the user's checkout.
    command = [
        "sudo",
        f"--preserve-env={','.join(kept)}",
        "env",
        path,
        "PYTHONDONTWRITEBYTECODE=1",
        sys.executable,
        "-m",
        module,
        *arguments,
    ]
    os.execv(sudo, command)  # noqa: S606 (an argument list is what is wanted)
