"""`/acr/v1`: Azure's own listing of repositories, tags and manifests, and their locks.

Source: https://learn.microsoft.com/rest/api/containerregistry/
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure.containerregistry import replies
from sandbox.azure.containerregistry.attributes import Attributes, target
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.repositories import Manifest, Repositories, Tag
from sandbox.azure.dataplane import json_object

_PATH = re.compile(r"(?P<name>.+?)(?:/(?P<kind>_tags|_manifests)(?:/(?P<reference>[^/]+))?)?")
_PAGE, _LARGEST_PAGE = 100, 1000


@dataclass(frozen=True)
class Place:
    """A repository, a collection in it (`_tags`, `_manifests`), or one tag or manifest."""

    repository: str
    kind: str | None
    reference: str | None

    @classmethod
    def parse(cls, path: str) -> Place:
        match = _PATH.fullmatch(path)
        if match is None:
            return cls(path, None, None)
        return cls(match["name"], match["kind"], match["reference"])


def _page(request: Request, items: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The names on the page asked for (`n`, `last`), and the Link header to the next. Raises HTTPException
    when `n` is no number."""
    asked = request.query_params.get("n", str(_PAGE))
    if not asked.isdecimal():
        raise HTTPException(400, f"the page size n is a number, not '{asked}'")
    size = min(int(asked[:9]), _LARGEST_PAGE) or _PAGE
    last = request.query_params.get("last", "")
    rest = [item for item in items if item > last]
    page = rest[:size]
    if len(rest) <= size:
        return page, {}
    query = urlencode({"last": page[-1], "n": size})
    return page, {"Link": f'<{request.url.path}?{query}>; rel="next"'}


@dataclass(frozen=True)
class Catalog:
    login_server: str
    folder: Folder

    @property
    def _repositories(self) -> Repositories:
        return Repositories(self.folder)

    @property
    def _attributes(self) -> Attributes:
        return Attributes(self.folder)

    async def list(self, request: Request) -> Response:
        names = await asyncio.to_thread(self._repositories.names)
        page, headers = _page(request, names)
        return JSONResponse({"repositories": page}, headers=headers)

    async def answer(self, request: Request, path: str) -> Response:
        """Any method on `/acr/v1/{path}`; the caller has been authorized."""
        place = Place.parse(path)
        if not self._repositories.exists(place.repository):
            return replies.error(404, "NAME_UNKNOWN", f'repository "{place.repository}" is not found')
        handlers: Mapping[str, Callable[[Request, Place], Any]] = {
            "GET": self._get,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        handler = handlers.get(request.method)
        if handler is None:
            return replies.error(405, "UNSUPPORTED", "The operation is unsupported.")
        answer: Response = await handler(request, place)
        return answer

    async def _get(self, request: Request, place: Place) -> Response:
        if place.kind is None:
            return JSONResponse(await asyncio.to_thread(self._repository, place.repository))
        items = await asyncio.to_thread(self._items, place)
        if place.reference is not None:
            if (item := items.get(place.reference)) is None:
                return self._missing(place)
            return JSONResponse({**self._head(place), place.kind[1:-1]: item})
        page, headers = _page(request, self._ordered(items, request))
        return JSONResponse(
            {**self._head(place), place.kind[1:]: [items[name] for name in page]}, headers=headers
        )

    def _ordered(self, items: Mapping[str, Mapping[str, Any]], request: Request) -> Sequence[str]:
        order = request.query_params.get("orderby", "")
        if not order.startswith("time"):
            return sorted(items)
        return sorted(items, key=lambda name: items[name]["lastUpdateTime"], reverse=order == "timedesc")

    def _missing(self, place: Place) -> Response:
        if place.kind == "_tags":
            return replies.error(404, "TAG_UNKNOWN", f'the tag "{place.reference}" does not exist')
        return replies.error(404, "MANIFEST_UNKNOWN", f"manifest {place.reference} is not found")

    def _head(self, place: Place) -> dict[str, Any]:
        return {"registry": self.login_server, "imageName": place.repository}

    def _repository(self, name: str) -> dict[str, Any]:
        found = self._repositories
        return {
            "registry": self.login_server,
            "imageName": name,
            "createdTime": found.created(name),
            "lastUpdateTime": found.updated(name),
            "manifestCount": len(found.manifests(name)),
            "tagCount": len(found.tags(name)),
            "changeableAttributes": self._attributes.of(name),
        }

    def _items(self, place: Place) -> dict[str, dict[str, Any]]:
        if place.kind == "_tags":
            return {
                tag.name: self._tag(place.repository, tag)
                for tag in self._repositories.tags(place.repository)
            }
        return {
            m.digest: self._manifest(place.repository, m)
            for m in self._repositories.manifests(place.repository)
        }

    def _tag(self, repository: str, tag: Tag) -> dict[str, Any]:
        return {
            "name": tag.name,
            "digest": tag.digest,
            "createdTime": tag.created,
            "lastUpdateTime": tag.updated,
            "signed": False,
            "changeableAttributes": self._attributes.of(target(repository, tag.name)),
        }

    def _manifest(self, repository: str, manifest: Manifest) -> dict[str, Any]:
        return {
            "digest": manifest.digest,
            "imageSize": manifest.size,
            "createdTime": manifest.created,
            "lastUpdateTime": manifest.created,
            "architecture": manifest.architecture,
            "os": manifest.os,
            "mediaType": manifest.media_type,
            "configMediaType": manifest.config_media_type,
            "tags": list(manifest.tags),
            "changeableAttributes": self._attributes.of(target(repository, manifest.digest)),
        }

    async def _patch(self, request: Request, place: Place) -> Response:
        if place.kind is not None and place.reference not in await asyncio.to_thread(self._items, place):
            return self._missing(place)
        try:
            changes = await json_object(request)
            self._attributes.change(target(place.repository, place.reference), changes)
        except ValueError as error:
            return replies.error(400, "INVALID", str(error))
        return await self._get(request, place)

    async def _delete(self, _request: Request, place: Place) -> Response:
        if place.kind is None:
            return await self._delete_repository(place)
        if place.kind != "_tags" or place.reference is None:
            return replies.error(405, "UNSUPPORTED", "The operation is unsupported.")
        if not self._attributes.allow("deleteEnabled", place.repository, place.reference):
            return replies.disallowed()
        if not await asyncio.to_thread(self._repositories.untag, place.repository, place.reference):
            return self._missing(place)
        self._attributes.forget(place.repository, place.reference)
        return Response(status_code=202)

    async def _delete_repository(self, place: Place) -> Response:
        name = place.repository
        references = [tag.name for tag in self._repositories.tags(name)]
        references += [manifest.digest for manifest in self._repositories.manifests(name)]
        if not self._attributes.allow("deleteEnabled", name, *references):
            return replies.disallowed()
        digests, tags = await asyncio.to_thread(self._repositories.remove, name)
        self._attributes.forget(name)
        return JSONResponse({"manifestsDeleted": digests, "tagsDeleted": tags}, 202)
