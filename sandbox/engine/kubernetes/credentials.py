"""How a kubeconfig user proves itself: token, password or certificate, also from a credential plugin."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.engine.caller import Caller
from sandbox.engine.failures import PlugError

_PLUGIN_SECONDS = 120
#: A credential this near its end is renewed before it is used.
_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Credential:
    #: Value of the Authorization header.
    authorization: str | None
    certificate: str | None
    key: str | None
    expires: datetime | None = None

    @property
    def stale(self) -> bool:
        return self.expires is not None and datetime.now(UTC) + _MARGIN >= self.expires


class Credentials:
    """A user's credential, kept until it expires. Plugins run as the engine's user, with its environment."""

    def __init__(self, user: Mapping[str, Any], server: str, caller: Caller) -> None:
        self._user = user
        self._server = server
        self._caller = caller
        self._lock = threading.Lock()
        self._current: Credential | None = None

    def get(self) -> Credential:
        """Raises PlugError when a plugin fails, with what it printed."""
        with self._lock:
            if self._current is None or self._current.stale:
                self._current = self._make()
            return self._current

    def forget(self) -> None:
        """The server refused the credential: make a new one next time."""
        with self._lock:
            self._current = None

    def _make(self) -> Credential:
        user = self._user
        if user.get("exec"):
            return self._run(user["exec"])
        token = user.get("token")
        if not token and user.get("tokenFile"):
            token = Path(user["tokenFile"]).read_text().strip()
        authorization = f"Bearer {token}" if token else None
        if not authorization and user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return Credential(authorization, user.get("client-certificate-data"), user.get("client-key-data"))

    def _run(self, plugin: Mapping[str, Any]) -> Credential:
        info = {
            "apiVersion": plugin.get("apiVersion", "client.authentication.k8s.io/v1beta1"),
            "kind": "ExecCredential",
            "spec": {"interactive": False, "cluster": {"server": self._server}},
        }
        environment = {
            **self._caller.environment,
            **{entry["name"]: entry["value"] for entry in plugin.get("env") or ()},
            "KUBERNETES_EXEC_INFO": json.dumps(info),
        }
        command = [plugin["command"], *(plugin.get("args") or ())]
        shown = " ".join(command[:2])
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=self._caller.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PLUGIN_SECONDS,
                check=False,
                **self._caller.identity(),
            )
        except FileNotFoundError as error:
            hint = plugin.get("installHint") or "install it, or use another kubeconfig"
            raise PlugError(
                f"the kubeconfig's credential plugin {command[0]!r} is not installed: {hint.strip()}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise PlugError(f"the kubeconfig's credential plugin `{shown}` gave no answer") from error
        if done.returncode != 0:
            raise PlugError(f"the kubeconfig's credential plugin `{shown}` failed: {done.stderr.strip()}")
        return _parsed(done.stdout, shown)


def _parsed(text: str, shown: str) -> Credential:
    try:
        status = json.loads(text)["status"]
        expires = status.get("expirationTimestamp")
        return Credential(
            f"Bearer {status['token']}" if status.get("token") else None,
            status.get("clientCertificateData"),
            status.get("clientKeyData"),
            datetime.fromisoformat(expires) if expires else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PlugError(f"the kubeconfig's credential plugin `{shown}` printed no ExecCredential") from error
