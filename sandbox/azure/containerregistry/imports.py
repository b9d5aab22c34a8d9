"""`importImage`: a registry fetches an image from another one of this cloud, with all that it is made of.

Of the sources that Azure has (registries of this cloud, of other clouds, Docker Hub) only the first kind
can be reached here. Who imports needs the right to pull from the source, too.
https://learn.microsoft.com/rest/api/containerregistry/registries/import-image
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.arm.errors import ArmError, bad_request, not_found
from sandbox.arm.handler import Principal
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry import grants, naming
from sandbox.azure.containerregistry.distribution import Distribution, distribution
from sandbox.azure.containerregistry.grants import Grant
from sandbox.services import Services

_PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry"
    "/registries/{registry}/importImage"
)
_INDEXES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
_ACCEPT = ", ".join(
    (
        *sorted(_INDEXES),
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9]+([._/-][a-z0-9]+)*)(:(?P<tag>[\w][\w.-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_NOT_FOUND = 404


@dataclass(frozen=True)
class Image:
    """`reference` is a tag or a digest."""

    repository: str
    reference: str

    @classmethod
    def parse(cls, text: Any) -> Image:
        match = _IMAGE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise bad_request("InvalidImageName", f"'{text}' is not an image, such as repository:tag.")
        return cls(match["name"], match["tag"] or match["digest"] or "latest")

    def __str__(self) -> str:
        between = "@" if self.reference.startswith("sha256:") else ":"
        return f"{self.repository}{between}{self.reference}"


class Imports:
    def __init__(self, services: Services) -> None:
        self._services = services

    def operations(self) -> Sequence[Operation]:
        action = f"{naming.TYPE}/importImage/action"
        return (Operation("POST", _PATH, action, self._import, long_running=True),)

    async def _import(self, call: OperationCall) -> Answer:
        given = call.parameters
        target = self._find(
            f"/subscriptions/{given['subscription']}/resourceGroups/{given['group']}/providers/"
            f"{naming.TYPE}/{given['registry']}"
        )
        source, image = self._source(call)
        targets = [Image.parse(tag) for tag in call.body.get("targetTags") or [str(image)]]
        force = str(call.body.get("mode", "NoForce")).lower() == "force"
        into = self._backend(target)
        for one in targets:
            if not force and await _exists(into, one):
                raise ArmError(
                    409, "Conflict", f"Tag {target.id.name}/{one} already exists in target registry."
                )
        for one in targets:
            await _copy(self._backend(source), image, into, one)
        return Answer()

    def _source(self, call: OperationCall) -> tuple[Resource, Image]:
        source = call.body.get("source") or {}
        image, identity = Image.parse(source.get("sourceImage")), source.get("resourceId")
        if not identity:
            raise bad_request(
                "InvalidParameters", "The sandbox imports from registries that source.resourceId names."
            )
        registry = self._find(str(identity))
        self._require_pull(call.principal, registry, image)
        return registry, image

    def _require_pull(self, principal: Principal, registry: Resource, image: Image) -> None:
        wanted = Grant("repository", image.repository, frozenset({"pull"}))
        if not grants.allowed(self._services.rbac, registry, principal.object_id, [wanted]):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
                f"authorization to pull '{image}' from '{registry.id}'.",
            )

    def _find(self, identity: str) -> Resource:
        registry = self._services.store.get(identity)
        if registry is None or registry.id.type.lower() != naming.TYPE.lower():
            raise not_found(identity)
        return registry

    def _backend(self, registry: Resource) -> Distribution:
        return distribution(self._services.config, registry.id.name.lower())


async def _exists(at: Distribution, image: Image) -> bool:
    path = f"/v2/{image.repository}/manifests/{image.reference}"
    answer = await at.client.head(path, headers={"Accept": _ACCEPT})
    return answer.status_code != _NOT_FOUND


async def _copy(out_of: Distribution, image: Image, into: Distribution, target: Image) -> None:
    """What a manifest names goes first, so that at no time an image is there in part."""
    answer = await out_of.client.get(
        f"/v2/{image.repository}/manifests/{image.reference}", headers={"Accept": _ACCEPT}
    )
    if answer.status_code == _NOT_FOUND:
        raise ArmError(404, "ManifestNotFound", f"The image {image} is not in the source registry.")
    answer.raise_for_status()
    kind, manifest = answer.headers["content-type"], json.loads(answer.content)
    if kind in _INDEXES:
        for part in manifest["manifests"]:
            inner = Image(image.repository, part["digest"])
            await _copy(out_of, inner, into, Image(target.repository, part["digest"]))
    else:
        for part in (manifest["config"], *manifest["layers"]):
            await _copy_blob(out_of, image.repository, into, target.repository, part["digest"])
    put = await into.client.put(
        f"/v2/{target.repository}/manifests/{target.reference}",
        content=answer.content,
        headers={"Content-Type": kind},
    )
    put.raise_for_status()


async def _copy_blob(
    out_of: Distribution, repository: str, into: Distribution, target: str, digest: str
) -> None:
    there = await into.client.head(f"/v2/{target}/blobs/{digest}")
    if there.status_code != _NOT_FOUND:
        return
    begun = await into.client.post(f"/v2/{target}/blobs/uploads/")
    begun.raise_for_status()
    place = httpx.URL(begun.headers["location"])
    async with out_of.client.stream("GET", f"/v2/{repository}/blobs/{digest}") as blob:
        blob.raise_for_status()

        async def content() -> AsyncIterator[bytes]:
            async for chunk in blob.aiter_raw():
                yield chunk

        done = await into.client.put(
            place.copy_merge_params({"digest": digest}),
            content=content(),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": blob.headers["content-length"],
            },
        )
    done.raise_for_status()
