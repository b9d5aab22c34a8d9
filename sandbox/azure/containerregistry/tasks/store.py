"""The store of images that builds work in, made ready: settings, no leftovers, base images."""

from __future__ import annotations

import asyncio

from sandbox.azure.containerregistry.tasks.base_images import BaseImages
from sandbox.azure.containerregistry.tasks.buildah import Buildah
from sandbox.config import Config
from sandbox.toolchain.toolchain import Toolchain


async def prepare(config: Config) -> list[str]:
    """Names of the base images that had to be made. No build may be under way.

    Raises BuildahError or ToolchainError.
    """
    buildah = Buildah(config)
    await buildah.prepare()
    toolchain = await asyncio.to_thread(Toolchain.load, config)
    # What a build that was killed was working on.
    await buildah.capture("rm", "--all")
    return await BaseImages(config, toolchain.base_images, buildah).ensure()
