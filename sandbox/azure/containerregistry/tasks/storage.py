"""Blob storage of ACR Tasks: build contexts are uploaded to it and logs read from it, by signed URL.

Azure keeps these in storage accounts of its own, so clients use the blob API here. Only what the blob SDK
does with such a URL is spoken (Put Blob, Put Block, Put Block List, Get Blob, Get Blob Properties).
The host's label has a hyphen, which no registry's name may have.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.azure.containerregistry.folder import Folder, read_json
from sandbox.azure.sealing import seal
from sandbox.config import Config
from sandbox.names import Names

_SECONDS = 3600
_VERSION = "2021-08-06"
_PATH = re.compile(r"(?P<registry>[a-z0-9]+)/(?P<blob>(?:source|logs)(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_BLOCK = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_CHUNK = 1 << 20


def metadata_file(blob: Path) -> Path:
    """Where a blob's metadata is kept, beside it."""
    return blob.with_name(blob.name + ".meta")


def _error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, {"x-ms-error-code": code}, media_type="application/xml")


@dataclass(frozen=True)
class TaskStorage:
    config: Config
    names: Names

    @property
    def host(self) -> str:
        return f"tasks-storage.{self.names.service('azurecr')}"

    def file(self, registry: str, blob: str) -> Path:
        return Folder.of(self.config, registry).tasks / blob

    def url(self, registry: str, blob: str, permissions: str) -> str:
        """A URL good for one blob and one hour; `permissions` as in a SAS: `r`, `cw`, …"""
        path = f"{registry.lower()}/{blob}"
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _SECONDS))
        signature = self._signature(path, permissions, expiry)
        query = urlencode({"sv": _VERSION, "sr": "b", "sp": permissions, "se": expiry, "sig": signature})
        return f"https://{self.host}/{quote(path)}?{query}"

    def _signature(self, path: str, permissions: str, expiry: str) -> str:
        key = seal(self.config.state).derive("containerregistry/tasks")
        text = f"{permissions}\n{expiry}\n{path}".encode()
        return base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/{path:path}", self._serve, methods=["GET", "HEAD", "PUT"])],
            exception_handlers={405: _unsupported},
        )

    def _refusal(self, request: Request, path: str, needed: str) -> Response | None:
        query = request.query_params
        expected = self._signature(path, query.get("sp", ""), query.get("se", ""))
        if not hmac.compare_digest(expected.encode(), query.get("sig", "").encode()):
            return _error(403, "AuthenticationFailed", "The signature does not match.")
        if query.get("se", "") < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()):
            return _error(403, "AuthenticationFailed", "The URL has expired.")
        if not set(needed) & set(query.get("sp", "")):
            return _error(403, "AuthorizationPermissionMismatch", "The URL does not permit this operation.")
        return None

    async def _serve(self, request: Request) -> Response:
        path = request.path_params["path"]
        match = _PATH.fullmatch(path)
        if match is None:
            return _error(404, "ResourceNotFound", "The specified resource does not exist.")
        writing = request.method == "PUT"
        if (refusal := self._refusal(request, path, "cw" if writing else "r")) is not None:
            return refusal
        file = self.file(match["registry"], match["blob"])
        if not writing:
            return await asyncio.to_thread(_read, request, file)
        if not file.parents[len(Path(match["blob"]).parts)].is_dir():
            return _error(404, "ResourceNotFound", "The registry is gone.")
        return await _write(request, file)


async def _unsupported(_request: Request, _refusal: Exception) -> Response:
    return _error(405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")


def _read(request: Request, file: Path) -> Response:
    """The blob, the range of it asked for, or (HEAD) what is known of it."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return _error(404, "BlobNotFound", "The specified blob does not exist.")
    metadata = read_json(metadata_file(file))
    headers = {
        "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        # A log grows while it is read, and the SDK insists that the ETag stays: it is not the content's.
        "ETag": f'"0x{status.st_ino:X}"',
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-version": _VERSION,
        **{f"x-ms-meta-{name}": str(value) for name, value in metadata.items()},
    }
    if request.method == "HEAD":
        response = Response(None, 200, headers, media_type="application/octet-stream")
        response.headers["content-length"] = str(status.st_size)
        return response
    wanted = _RANGE.fullmatch(request.headers.get("x-ms-range") or request.headers.get("range") or "bytes=0-")
    if wanted is None:
        return _error(400, "InvalidHeaderValue", "The Range header is not of the form bytes=FIRST-LAST.")
    first, last = int(wanted[1]), int(wanted[2] or status.st_size - 1)
    if first >= status.st_size:
        return _error(
            416, "InvalidRange", "The range specified is invalid for the current size of the resource."
        )
    last = min(last, status.st_size - 1)
    with file.open("rb") as stream:
        stream.seek(first)
        content = stream.read(last - first + 1)
    headers["Content-Range"] = f"bytes {first}-{first + len(content) - 1}/{status.st_size}"
    return Response(content, 206, headers, media_type="application/octet-stream")


async def _write(request: Request, file: Path) -> Response:
    operation = request.query_params.get("comp")
    if operation == "block":
        block = request.query_params.get("blockid", "")
        if not _BLOCK.fullmatch(block):
            return _error(400, "InvalidQueryParameterValue", "The block id is not valid.")
        await _store(request.stream(), _blocks(file) / block.replace("/", "_"))
        return _created()
    if operation == "blocklist":
        return await _commit(await request.body(), file)
    if operation is not None:
        return _error(400, "InvalidQueryParameterValue", f"The operation {operation} is not supported here.")
    if request.headers.get("x-ms-blob-type") != "BlockBlob":
        return _error(400, "InvalidHeaderValue", "Only block blobs are stored here.")
    await _store(request.stream(), file)
    return _created()


def _created() -> Response:
    headers = {"ETag": f'"0x{uuid.uuid4().hex[:16].upper()}"', "Last-Modified": formatdate(usegmt=True)}
    return Response(None, 201, {**headers, "x-ms-request-server-encrypted": "true", "x-ms-version": _VERSION})


def _blocks(file: Path) -> Path:
    return file.with_name(file.name + ".blocks")


async def _store(chunks: AsyncIterator[bytes], file: Path) -> None:
    """Write a stream to a file that appears only when it is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as stream:
            async for chunk in chunks:
                await asyncio.to_thread(stream.write, chunk)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


async def _commit(body: bytes, file: Path) -> Response:
    try:
        names = [str(item.text) for item in ET.fromstring(body)]  # noqa: S314
    except ET.ParseError:
        return _error(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    blocks = [_blocks(file) / name.replace("/", "_") for name in names if _BLOCK.fullmatch(name)]
    if len(blocks) != len(names) or not all(block.is_file() for block in blocks):
        return _error(400, "InvalidBlockList", "The specified block list is invalid.")
    await _store(_concatenated(blocks), file)
    await asyncio.to_thread(shutil.rmtree, _blocks(file), True)
    return _created()


async def _concatenated(files: list[Path]) -> AsyncIterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while chunk := await asyncio.to_thread(stream.read, _CHUNK):
                yield chunk
