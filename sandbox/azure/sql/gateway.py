"""The gateway to all servers: one port, on which a client's TLS says which server it wants.

As Azure SQL's own, it ends TLS, refuses what the network rules or the server's settings do not allow, asks
for the token, and passes the connection on to the server's instance as the role that the login got. Every
server's name resolves to the gateway, so the name is taken from TLS (SNI), which libpq sends since version
14, as do the drivers of the other languages. PostgreSQL cannot check the token itself: PAM's `pam_exec` hands
on no more than 512 bytes of a password, and a token has over a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sandbox.arm.resource import Resource
from sandbox.azure.sql import access, naming, routes, wire
from sandbox.azure.sql.instance import instance
from sandbox.azure.sql.logins import INVALID, LoginRefusedError, Logins, unavailable
from sandbox.azure.sql.relay import relay
from sandbox.host.tls import ssl_context
from sandbox.services import Services

log = logging.getLogger(__name__)

PORT = 5432
#: Seconds until a client must have logged in.
_PATIENCE = 60.0
_VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}


@dataclass(frozen=True)
class Client:
    """A connection with TLS. `peer` and `local` are its two addresses, `asked` the name in its TLS."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: str
    local: str
    asked: str
    tls: str


class Gateway:
    """`listen` opens the port when the first server is made; `address` is where."""

    def __init__(self, services: Services, address: str, port: int = PORT) -> None:
        self._services = services
        self._address, self.port = address, port
        self._logins = Logins(services)
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._tls: ssl.SSLContext | None = None
        #: What a request to cancel shows -> the server whose connection it is about.
        self._keys: dict[bytes, str] = {}
        #: Which server (its key) each connection is to.
        self._connected: WeakKeyDictionary[asyncio.Task[None], str] = WeakKeyDictionary()

    async def listen(self) -> None:
        """Idempotent."""
        if self._listener is not None:
            return
        names = [f"*.{naming.suffix(self._services.names)}", naming.read_only_host(self._services.names, "*")]
        self._tls = ssl_context(self._services.ca, names, self._services.names.suffix)
        self._tls.sni_callback = self._note
        self._listener = socket.create_server((self._address, self.port), backlog=128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept(self._listener))

    async def close(self) -> None:
        """End all connections and close the port."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drop(self, server: Resource) -> None:
        """End all connections to a server at once."""
        ended = [task for task, key in self._connected.items() if key == server.id.key]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="sql-gateway")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, connection: ssl.SSLObject | ssl.SSLSocket, asked: str | None, _: ssl.SSLContext) -> None:
        self._names[connection] = (asked or "").lower()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, address = await loop.sock_accept(listener)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._serve(connection, address[0], connection.getsockname()[0]))

    async def _serve(self, connection: socket.socket, peer: str, local: str) -> None:
        client: Client | None = None
        try:
            async with asyncio.timeout(_PATIENCE):
                client = await self._secure(connection, peer, local)
                server = await self._log_in(client) if client is not None else None
            if client is not None and server is not None:
                await relay(client.reader, client.writer, *server)
        except (OSError, EOFError, wire.ProtocolError, TimeoutError) as error:
            log.debug("connection of %s: %r", peer, error)
        finally:
            # Once it has TLS, the connection is its transport's to close.
            if client is not None:
                client.writer.close()
            else:
                connection.close()

    async def _secure(self, connection: socket.socket, peer: str, local: str) -> Client | None:
        """The connection once it has TLS; None when it wanted something else, which it got."""
        loop = asyncio.get_running_loop()
        while True:
            start = await _receive(connection, 8)
            length, code = int.from_bytes(start[:4], "big"), int.from_bytes(start[4:], "big")
            if length == 8 and code == wire.ASK_GSS:
                await loop.sock_sendall(connection, wire.NO)
                continue
            break
        if length == 16 and code == wire.CANCEL:
            await self._cancel(await _receive(connection, 8))
            return None
        if length != 8 or code != wire.ASK_TLS:
            message = "An encrypted connection is required: connect with sslmode=verify-full."
            await loop.sock_sendall(connection, wire.failure(INVALID, message))
            return None
        await loop.sock_sendall(connection, wire.YES)
        reader = asyncio.StreamReader(limit=1 << 18)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        tls = transport.get_extra_info("ssl_object")
        return Client(reader, writer, peer, local, self._names.get(tls, ""), tls.version())

    async def _log_in(self, client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The instance's end of the connection, logged in; None when the client was told why not."""
        code, content = await wire.read_start(client.reader)
        if code == wire.CANCEL:
            await self._cancel(content)
            return None
        if code >> 16 != 3:
            raise wire.ProtocolError(f"protocol version {code >> 16}")
        given = wire.parameters(content)
        try:
            return await self._open(client, given)
        except LoginRefusedError as refused:
            log.warning(
                "login to %s/%s as '%s' from %s refused: %s",
                *(client.asked or "no server", given.get("database", ""), given.get("user", ""), client.peer),
                refused.reason,
            )
            client.writer.write(wire.failure(refused.state, refused.message))
            await client.writer.drain()
            return None

    async def _open(
        self, client: Client, given: dict[str, str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        server = routes.find(self._services, client.asked)
        self._note_server(server)
        if self._services.regions.is_down(server.location):
            # No answer at all, as the region's own gateway is gone too.
            raise ConnectionResetError(f"{server.location} is down")
        refused = access.refusal(self._services, server, client.peer, client.local)
        if refused is not None:
            raise LoginRefusedError(
                f"{refused.reason.name} ({refused.address})", access.message(server, refused)
            )
        if client.tls < _VERSIONS.get(str(server.properties.get("minimalTlsVersion")), ""):
            raise LoginRefusedError(
                f"{client.tls} is below the server's minimum",
                f"Login failed: the server needs TLS {server.properties['minimalTlsVersion']} or newer.",
            )
        one = instance(self._services, server)
        client.writer.write(wire.ASK_PASSWORD)
        await client.writer.drain()
        user, token = given.get("user", ""), await wire.read_password(client.reader)
        role = await self._logins.role(server, one, user, token)
        database = routes.database(self._services, one, server, given.get("database") or user)
        try:
            reader, writer = await asyncio.open_unix_connection(str(one.socket_file), limit=1 << 18)
        except OSError as error:
            raise unavailable(server.id.name, str(error)) from error
        writer.write(wire.start({**given, "user": role, "database": database}))
        await writer.drain()
        await self._pass_greeting(reader, client.writer, str(one.socket_file))
        log.info("login to %s/%s as '%s' from %s", client.asked, database, role, client.peer)
        return reader, writer

    def _note_server(self, server: Resource) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        if task is not None:
            self._connected[task] = server.id.key

    async def _pass_greeting(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, path: str
    ) -> None:
        """Pass on what the instance says until it is ready, or refuses; remember the key to cancel with."""
        while True:
            kind, message = await wire.read_message(reader)
            client.write(message)
            if kind == b"K":
                self._keys[message[5:]] = path
                while len(self._keys) > 10_000:
                    del self._keys[next(iter(self._keys))]
            if kind in (b"Z", b"E"):
                await client.drain()
                return

    async def _cancel(self, key: bytes) -> None:
        """Pass a request to cancel on. It is not answered, whatever comes of it."""
        path = self._keys.get(key)
        if path is None:
            return
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(wire.cancel(key))
            await writer.drain()
            writer.close()


async def _receive(connection: socket.socket, count: int) -> bytes:
    loop, content = asyncio.get_running_loop(), b""
    while len(content) < count:
        more = await loop.sock_recv(connection, count - len(content))
        if not more:
            raise EOFError
        content += more
    return content
