"""The store of images that builds work in, made ready: settings, no leftovers, base images."""

from __future__ import annotations

import asyncio

from sandbox.azure.containerregistry.tasks.base_images import BaseImages
from sandbox.azure.containerregistry.tasks.buildah import Buildah
from sandbox.config import Config
from sandbox.toolchain.toolchain import Toolchain

#: Images and layers kept from earlier builds; with more, the store is begun anew. One build makes about 20.
_MAXIMUM = 500


async def prepare(config: Config) -> list[str]:
    """Names of the base images that had to be made. No build may be under way.

    Raises BuildahError or ToolchainError.
    """
    buildah = Buildah(config)
    await buildah.prepare()
    toolchain = await asyncio.to_thread(Toolchain.load, config)
    # What a build that was killed was working on.
    await buildah.capture("rm", "--all")
    if len((await buildah.capture("images", "--all", "--quiet")).split()) > _MAXIMUM:
        await buildah.capture("rmi", "--all", "--force")
    return await BaseImages(config, toolchain.base_images, buildah).ensure()
