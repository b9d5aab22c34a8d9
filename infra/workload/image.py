"""The agents' image: built in the registry from this checkout, named once per agent.

The registry builds (`az acr build`), so neither a Docker engine nor registry credentials are needed. A build
happens when the application's sources change, or the registry was made anew and is empty; pods refer to the
digest, so they roll when it changes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pulumi
from pulumi_command import local

from infra.azure.registry import Registry
from infra.naming import image_repository


class Images(Protocol):
    """Where pods pull an agent's image from."""

    def reference(self, agent: str) -> pulumi.Output[str]: ...


ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "infra"
# What the Dockerfile copies.
SOURCES = ("Dockerfile", "app")


def source_files(root: Path = ROOT) -> Iterable[Path]:
    """The files an image is built from, in a stable order."""
    for source in SOURCES:
        path = root / source
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)


def source_hash(root: Path = ROOT) -> str:
    """SHA-256 over names and contents of the sources."""
    digest = hashlib.sha256()
    for file in source_files(root):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class ImageArgs:
    registry: Registry
    agents: list[str]
    version: str


class Image(pulumi.ComponentResource):
    """One image under one repository per agent."""

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Image", name, None, opts)
        self._args = args
        tags = " ".join(f"--image {image_repository(agent)}:{args.version}" for agent in args.agents)
        build = local.Command(
            name,
            create=pulumi.Output.concat(
                "az acr build --registry ",
                args.registry.name,
                f" {tags} --file Dockerfile --platform linux/amd64 --no-logs --only-show-errors",
                *self._builders(),
                " --query 'outputImages[0].digest' --output tsv .",
            ),
            # Commands run in the program's folder; relative, so that state fits every checkout.
            dir=os.path.relpath(ROOT, PROGRAM),
            triggers=[source_hash(), args.registry.born, args.version, *args.agents],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.registry.ready)),
        )
        self.digest = build.stdout
        self.register_outputs({"digest": self.digest})

    def _builders(self) -> tuple[pulumi.Input[str], ...]:
        pool = self._args.registry.builders
        return () if pool is None else (" --agent-pool ", pool)

    def reference(self, agent: str) -> pulumi.Output[str]:
        """Where a pod pulls the agent's image from, pinned by digest."""
        return _reference(self._args.registry.login_server, agent, self._args.version, self.digest)


@dataclass(frozen=True)
class BuiltImage:
    """What another stack built and keeps in its registry: its version, and the digest where that is known.

    The digest is not looked for: `az` asks Resource Manager about a registry first, which refuses while the
    registry's own region is down; the replica serves pulls all the same.
    """

    login_server: str
    version: str
    digest: str | None = None

    def reference(self, agent: str) -> pulumi.Output[str]:
        """Where a pod pulls the agent's image from."""
        if self.digest is not None:
            return _reference(self.login_server, agent, self.version, pulumi.Output.from_input(self.digest))
        return pulumi.Output.from_input(f"{self.login_server}/{image_repository(agent)}:{self.version}")


def _reference(
    login_server: pulumi.Input[str], agent: str, version: str, digest: pulumi.Output[str]
) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        login_server, f"/{image_repository(agent)}:{version}@", digest.apply(str.strip)
    )
