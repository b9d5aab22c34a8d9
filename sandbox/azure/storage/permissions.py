"""What a request needs, by operation: control actions for containers and queues, data actions for the rest.

Source: "Permissions for calling data operations" in Storage's REST documentation. A need is a choice of
sets: one set has to be granted as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.azure.storage import errors

Service = Literal["blob", "queue"]

_ACCOUNT = "Microsoft.Storage/storageAccounts/"
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Grant:
    action: str
    data: bool


@dataclass(frozen=True)
class Need:
    """`scope` is below the account; every set in `choices` is enough."""

    scope: str
    choices: tuple[tuple[Grant, ...], ...]


@dataclass(frozen=True)
class Asked:
    """A request as both services read it. `path` is decoded; `copies` is the path of a source in the "
    "account."""

    service: Service
    method: str
    path: str
    query: Mapping[str, str]
    creates_only: bool = False
    copies: str | None = None

    @property
    def comp(self) -> str:
        return self.query.get("comp", "")

    @property
    def parts(self) -> tuple[str, str]:
        """Container and blob, or queue and what is behind it."""
        first, _, rest = self.path.lstrip("/").partition("/")
        return first, rest


def needs(asked: Asked) -> list[Need]:
    """Raises StorageError for what the service does not have."""
    if asked.service == "queue":
        return [_queue(asked)]
    found = [_blob(asked)]
    if asked.copies is not None:
        source = Asked("blob", "GET", asked.copies, {})
        found.append(_blob(source))
    return found


def _control(scope: str, action: str) -> Need:
    return Need(scope, ((Grant(_ACCOUNT + action, data=False),),))


def _data(scope: str, *choices: str) -> Need:
    """Each choice is one action, or several joined by `+`."""
    return Need(
        scope,
        tuple(
            tuple(Grant(_ACCOUNT + action, data=True) for action in choice.split("+")) for choice in choices
        ),
    )


def _blob(asked: Asked) -> Need:
    container, blob = asked.parts
    if not container or (not blob and container == "$root" and "restype" not in asked.query):
        return _blob_service(asked)
    if asked.query.get("restype") == "container":
        return _container(asked, container)
    if not blob:
        container = "$root"
    return _one_blob(asked, f"blobServices/default/containers/{container}")


def _blob_service(asked: Asked) -> Need:
    reading = asked.method in _READING
    if asked.comp == "list" and reading:
        return _control("blobServices/default", "blobServices/containers/read")
    if asked.comp == "blobs" and reading:
        return _data("blobServices/default", "blobServices/containers/blobs/filter/action")
    if asked.comp in ("userdelegationkey", "batch"):
        raise errors.StorageError(
            501,
            "NotImplemented",
            f"The requested operation, {asked.comp}, is not implemented by the sandbox.",
        )
    if asked.query.get("restype") == "account":
        return _data("blobServices/default", "blobServices/getInfo/action")
    if asked.query.get("restype") == "service":
        return _control("blobServices/default", f"blobServices/{'read' if reading else 'write'}")
    raise errors.invalid_query("comp")


def _container(asked: Asked, name: str) -> Need:
    scope, base = f"blobServices/default/containers/{name}", "blobServices/containers/"
    reading = asked.method in _READING
    if asked.comp == "batch":
        raise errors.StorageError(
            501, "NotImplemented", "The requested operation, batch, is not implemented by the sandbox."
        )
    if asked.comp == "acl":
        return _control(scope, base + ("getAcl/action" if reading else "setAcl/action"))
    if asked.comp == "list" and reading:
        return _data(scope, base + "blobs/read")
    if asked.comp == "blobs" and reading:
        return _data(scope, base + "blobs/filter/action")
    if asked.method == "DELETE":
        return _control(scope, base + "delete")
    return _control(scope, base + ("read" if reading else "write"))


def _one_blob(asked: Asked, scope: str) -> Need:
    base = "blobServices/containers/blobs/"
    reading = asked.method in _READING or asked.comp == "query"
    if asked.comp == "tags":
        return _data(scope, base + ("tags/read" if reading else "tags/write"))
    if asked.method == "DELETE":
        return _data(scope, base + ("deleteBlobVersion/action" if "versionid" in asked.query else "delete"))
    if reading:
        return _data(scope, base + "read")
    if asked.comp == "appendblock" or asked.creates_only:
        return _data(scope, base + "write", base + "add/action")
    return _data(scope, base + "write")


def _queue(asked: Asked) -> Need:
    queue, rest = asked.parts
    reading = asked.method in _READING
    if not queue:
        if asked.comp == "list" and reading:
            return _control("queueServices/default", "queueServices/queues/read")
        if asked.query.get("restype") == "service":
            return _control("queueServices/default", f"queueServices/{'read' if reading else 'write'}")
        raise errors.invalid_query("comp")
    scope, base = f"queueServices/default/queues/{queue}", "queueServices/queues/"
    if rest:
        return _messages(asked, scope, base + "messages/", one="/" in rest.strip("/"))
    if asked.comp == "acl":
        return _control(scope, base + ("getAcl/action" if reading else "setAcl/action"))
    if asked.method == "DELETE":
        return _control(scope, base + "delete")
    return _control(scope, base + ("read" if reading else "write"))


def _messages(asked: Asked, scope: str, base: str, *, one: bool) -> Need:
    """`one` is an update or a deletion of a message by its id."""
    if asked.method in _READING:
        if asked.query.get("peekonly", "").lower() == "true":
            return _data(scope, base + "read")
        return _data(scope, base + "process/action", f"{base}delete+{base}read")
    if asked.method == "POST":
        return _data(scope, base + "add/action", base + "write")
    if asked.method == "PUT":
        return _data(scope, base + "write")
    return _data(scope, base + "delete", *([base + "process/action"] if one else []))
