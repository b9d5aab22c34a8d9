"""Chromium without a screen, for tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from sandbox.config import Config
from sandbox.toolchain.debian import DebianStep
from sandbox.toolchain.shell import Shell

_PACKAGE = "chromium-headless-shell"


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Debian's, installed when it is missing; `folder` takes the log of that."""
    if shutil.which(_PACKAGE) is None:
        DebianStep(cache=Config().cache, packages=(_PACKAGE,)).run(Shell(folder / "apt.log"))
    with sync_playwright() as driver:
        # Its own sandbox does not work for root.
        found = driver.chromium.launch(executable_path=shutil.which(_PACKAGE), args=["--no-sandbox"])
        try:
            yield found
        finally:
            found.close()
