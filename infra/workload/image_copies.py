"""Copies of the agents' images in a registry of their own, which the source's deletion does not take along.

The registry itself fetches them (`az acr import`), so no image passes through the machine that deploys.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import local

from infra.azure.registry import Registry
from infra.naming import image_repository
from infra.workload.image import PROGRAM, ROOT, source_hash


@dataclass(frozen=True)
class ImageCopiesArgs:
    """`source_id` is the registry that the images are built in, which serves them at `login_server`."""

    registry: Registry
    source_id: pulumi.Input[str]
    login_server: str
    agents: Sequence[str]
    version: str


class ImageCopies(pulumi.ComponentResource):
    """Copied again when the version or the application's sources change, as images are built, and to a
    registry that was made anew.

    What was imported is overwritten by the same: a command that was killed is run again.
    """

    def __init__(self, name: str, args: ImageCopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:ImageCopies", name, None, opts)
        self._args = args
        self._digests = {agent: self._copy(agent) for agent in args.agents}
        self.register_outputs({})

    def original(self, agent: str) -> pulumi.Output[str]:
        """The image that was copied, where it came from, pinned by digest."""
        repository = f"{self._args.login_server}/{image_repository(agent)}:{self._args.version}"
        return pulumi.Output.concat(repository, "@", self._digests[agent])

    def _copy(self, agent: str) -> pulumi.Output[str]:
        """A copy has its original's digest."""
        args, image = self._args, f"{image_repository(agent)}:{self._args.version}"
        command = local.Command(
            agent,
            create=pulumi.Output.concat(
                "az acr import --name ",
                args.registry.name,
                " --registry ",
                args.source_id,
                f" --source {image} --image {image} --force --only-show-errors",
                " && az acr repository show --name ",
                args.registry.name,
                f" --image {image} --query digest --output tsv --only-show-errors",
            ),
            # Commands run in the program's folder; relative, so that state fits every checkout.
            dir=os.path.relpath(ROOT, PROGRAM),
            triggers=[source_hash(), args.registry.born, args.version],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.registry.pull_roles)),
        )
        return command.stdout.apply(str.strip)
