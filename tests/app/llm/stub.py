"""A chat completions server on loopback that does what its script says, one entry a request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.app.llm.models import FITS

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


@dataclass(frozen=True)
class Reply:
    """What is sent: `body` as it stands, in `pieces` of a chunked answer where there are any.

    `ending`: "close" is in order, "reset" breaks the connection off instead of or after what is sent, and
    "hang" keeps it open and says no more.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    pieces: Sequence[bytes] = ()
    content_type: str = "application/json"
    ending: str = "close"


def completion(text: str = FITS, **more: Any) -> Reply:
    """A whole answer; `more` overrides members of its choice, `usage` and `choices` of the answer."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5.4-mini-2026-03-17",
        "usage": more.pop("usage", USAGE),
        "choices": more.pop("choices", [{**choice, **more}]),
    }
    return Reply(body=json.dumps(document).encode())


def chunk(text: str = "", finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish_reason}
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5.4-mini-2026-03-17",
        "choices": [choice],
        **more,
    }
    return b"data: " + json.dumps(document).encode() + b"\n\n"


END = (chunk(finish_reason="stop"), chunk(choices=[], usage=USAGE), b"data: [DONE]\n\n")


def events(*pieces: bytes, ending: str = "close") -> Reply:
    return Reply(pieces=pieces, content_type="text/event-stream", ending=ending)


def error(status: int, code: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    """A refusal in Azure OpenAI's envelope."""
    body = {"error": {"code": code or str(status), "message": f"refused with {status}", **more}}
    return Reply(status, headers or {}, json.dumps(body).encode())


FILTERED = error(400, "content_filter", param="prompt", innererror={"code": "ResponsibleAIPolicyViolation"})
RESET = Reply(body=None, ending="reset")
HANG = Reply(body=None, ending="hang")


class Server:
    """`script` is used up from the front; then every answer is a good one. `requests` are the bodies."""

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.port = 0
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[asyncio.current_task()] = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lengths = [
                    line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-len")
                ]
                body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                if body:
                    self.requests.append(json.loads(body))
                reply = self.script.pop(0) if self.script else completion()
                await self._send(reply, writer)
                if reply.ending == "hang":
                    await reader.read()
                if reply.ending != "close":
                    break
        _break_off(writer)

    async def end(self) -> None:
        """Break off what is still open."""
        for writer in self._open.values():
            _break_off(writer)
        await asyncio.gather(*(task for task in self._open if task is not None))

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        if reply.body is None:
            return
        headers = {"content-type": reply.content_type, **reply.headers}
        if reply.pieces:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(len(reply.body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Said\r\n{head}\r\n".encode() + reply.body)
        for piece in reply.pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if reply.pieces and reply.ending == "close":
            writer.write(b"0\r\n\r\n")
        await writer.drain()


def _break_off(writer: asyncio.StreamWriter) -> None:
    """With a reset, as of a machine that dies."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server
        await server.end()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
