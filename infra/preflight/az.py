"""The Azure CLI as the way to Azure: its session is the one that the program and kubectl use too.

`az rest` signs requests, knows the cloud that is set, and trusts what the CLI trusts; only GET is ever sent.
https://learn.microsoft.com/cli/azure/reference-index#az-rest
Copies and images are listed by the CLI's own commands, as data planes want tokens of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from infra.preflight.arm import AskError
from infra.preflight.data import Blob, Image

# As the CLI words a refusal: `ERROR: Not Found({"error":{"code":"…","message":"…"}})`.
_REFUSAL = re.compile(r"^ERROR: (?P<reason>[A-Z][A-Za-z -]+?)\((?P<body>\{.*\})\)\s*$", re.DOTALL)
_STATUS = {status.phrase.lower(): int(status) for status in HTTPStatus}


@dataclass(frozen=True)
class Account:
    """Who is signed in, and the subscription that is asked about. `user` is a name or an application's id."""

    subscription: str
    title: str
    tenant: str
    user: str
    application: bool


class AzureCli:
    """Everything must be answered within `seconds` of now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def account(self, subscription: str | None) -> Account:
        """The session's account: `subscription`, else the one that is set. Asks no server."""
        chosen = ("--subscription", subscription) if subscription else ()
        shown = self._run("account", "show", *chosen)
        return Account(
            subscription=shown["id"],
            title=shown["name"],
            tenant=shown["tenantId"],
            user=shown["user"]["name"],
            application=shown["user"]["type"] == "servicePrincipal",
        )

    def get(self, url: str) -> Any:
        """A GET of Resource Manager."""
        return self._run("rest", "--method", "get", "--url", url)

    def blobs(self, account: str, container: str, prefix: str) -> list[Blob]:
        """https://learn.microsoft.com/cli/azure/storage/blob#az-storage-blob-list"""
        where = ("--account-name", account, "--container-name", container, "--prefix", prefix)
        query = "[].{name: name, written: properties.lastModified}"
        # All of them: without it, 5,000.
        told = ("--auth-mode", "login", "--num-results", "*", "--query", query)
        found = self._run("storage", "blob", "list", *where, *told)
        return [Blob(one["name"], datetime.fromisoformat(one["written"])) for one in found]

    def repositories(self, registry: str) -> frozenset[str]:
        """https://learn.microsoft.com/cli/azure/acr/repository#az-acr-repository-list"""
        return frozenset(self._run("acr", "repository", "list", "--name", registry))

    def images(self, registry: str, repository: str) -> list[Image]:
        """https://learn.microsoft.com/cli/azure/acr/manifest#az-acr-manifest-list-metadata"""
        listing = ("acr", "manifest", "list-metadata", "--registry", registry, "--name", repository)
        return [
            Image(one["digest"], one.get("tags") or (), datetime.fromisoformat(one["lastUpdateTime"]))
            for one in self._run(*listing)
        ]

    def _run(self, *arguments: str) -> Any:
        program = shutil.which("az")
        if program is None:
            raise AskError("there is no `az` on PATH: install the Azure CLI and run `az login`")
        late = AskError(f"no answer within {self._seconds:.0f} s")
        left = self._end - time.monotonic()
        if left <= 0:
            raise late
        try:
            done = subprocess.run(
                [program, *arguments, "--only-show-errors", "--output", "json"],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise late from None
        if done.returncode != 0:
            raise _error(done.stderr.strip())
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AskError(f"`az {arguments[0]}` answered no JSON: {done.stdout[:200]!r}") from None


def _error(said: str) -> AskError:
    """What the CLI said, read as Resource Manager's refusal where it is one."""
    match = _REFUSAL.match(said)
    if match is None:
        return AskError(said.removeprefix("ERROR: ") or "az failed and said nothing")
    status = _STATUS.get(match["reason"].strip().lower())
    try:
        error = json.loads(match["body"])["error"]
        return AskError(str(error["message"]), status, str(error["code"]))
    except (ValueError, KeyError, TypeError):
        return AskError(match["body"], status)
