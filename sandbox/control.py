"""What the process that serves Azure can be told and no client of Azure may say.

Over a socket in the state folder that only root, who starts the process, can open. One JSON object per line:
`{"command", "arguments"}`, answered by `{"answer"}` or `{"error"}`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.config import Config
from sandbox.host.errors import HostError

log = logging.getLogger(__name__)

#: A command takes the arguments' object; its answer may be awaited. ValueError is for whoever asked.
Command = Callable[[dict[str, Any]], Any]
#: Seconds that an answer may take, unless whoever asks says otherwise.
_PATIENCE = 10.0


def path(config: Config) -> Path:
    return config.run / "azure.sock"


class Control:
    """Serves commands from `start` to `stop`."""

    def __init__(self, place: Path, commands: Mapping[str, Command]) -> None:
        self._place = place
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._place.parent.mkdir(parents=True, exist_ok=True)
        self._place.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._place)
        self._place.chmod(0o600)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._place.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:  # ValueError: a line without end
            log.warning("control: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            command = self._commands[asked["command"]]
            answer = command(asked.get("arguments") or {})
            return {"answer": await answer if inspect.isawaitable(answer) else answer}
        except KeyError as error:
            return {"error": f"there is no command {error}"}
        except (ValueError, TypeError) as error:
            return {"error": str(error)}


def ask(config: Config, command: str, *, patience: float = _PATIENCE, **arguments: Any) -> Any:
    """Have the running sandbox do something. Raises HostError when none runs, ValueError when it refuses.
    `patience` is in seconds."""
    place = path(config)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(str(place))
            connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            with connection.makefile() as answers:
                answer = json.loads(answers.readline())
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise HostError("the sandbox is not running; start it with `uv run sandbox up`") from error
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["answer"]
