"""Base images of builds: the toolchain's archives, with the sandbox's CA added to their trust store.

An image made from one trusts the sandbox's names without knowing of them. Done once per sandbox: what was
prepared, from which archive and for which CA, is kept in a file beside the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sandbox.azure.containerregistry.folder import read_json, write_json
from sandbox.azure.containerregistry.tasks.buildah import Buildah, BuildahError
from sandbox.config import Config

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_OURS = "/usr/local/share/ca-certificates/agents-sandbox.crt"
#: Python's own HTTP libraries bring a trust store of their own unless told where the system's is.
_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class BaseImages:
    """`archives` are OCI archives by the name their image goes by."""

    def __init__(self, config: Config, archives: Mapping[str, Path], buildah: Buildah) -> None:
        self._config = config
        self._archives = archives
        self._buildah = buildah
        self._record = config.state / "builds" / "base-images.json"

    def _key(self, archive: Path) -> str:
        status = archive.stat()
        ca = self._config.ca_certificate.read_bytes()
        text = f"{archive}:{status.st_size}:{status.st_mtime_ns}".encode()
        return hashlib.sha256(text + ca).hexdigest()

    async def ensure(self) -> list[str]:
        """Prepare what is missing or was made from another archive or for another CA; the names prepared."""
        prepared = []
        for name, archive in self._archives.items():
            key = self._key(archive)
            if read_json(self._record).get(name) == key and await self._present(name):
                continue
            await self._make(name, archive)
            write_json(self._record, {**read_json(self._record), name: key})
            prepared.append(name)
        return prepared

    async def _present(self, name: str) -> bool:
        try:
            await self._buildah.capture("inspect", "--type", "image", name)
        except BuildahError:
            return False
        return True

    async def _make(self, name: str, archive: Path) -> None:
        container = (await self._buildah.capture("from", f"oci-archive:{archive}")).split()[-1]
        try:
            await self._trust(container)
            await self._buildah.capture("commit", "--quiet", container, name)
        finally:
            await self._buildah.capture("rm", container)

    async def _trust(self, container: str) -> None:
        certificate = str(self._config.ca_certificate)
        await self._buildah.capture("copy", "--quiet", container, certificate, _OURS)
        try:
            await self._buildah.capture("run", container, "--", "update-ca-certificates")
        except BuildahError:
            # No ca-certificates package: the sandbox's CA is then all that the image trusts.
            await self._buildah.capture("copy", "--quiet", container, certificate, _BUNDLE)
        variables = [part for name in _VARIABLES for part in ("--env", f"{name}={_BUNDLE}")]
        await self._buildah.capture("config", *variables, container)
