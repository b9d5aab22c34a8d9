"""A certificate for loopback, which the measured programs are told to trust."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.config import Config
from sandbox.host import ca


@dataclass(frozen=True)
class Certificate:
    """`server` is chain and key in one file, `trusted` the authorities that a client must know."""

    server: Path
    trusted: Path


def make(folder: Path) -> Certificate:
    """By an authority of its own below `folder`, made as the sandbox makes its."""
    config = Config(state=folder)
    ca.ensure(config, {})
    chain, key = ca.Authority(config).issue(["localhost", "127.0.0.1"])
    server = folder / "server.pem"
    server.touch(0o600)
    server.write_text(chain + key)
    return Certificate(server, config.ca_bundle)
