"""Event Grid's topic and Storage's queue: what is published to `/topics/<name>` waits in queue `<name>`.

Queues are made by `PUT /stub/queues/<name>`; what is published where there is none is counted and forgotten.
https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from xml.sax.saxutils import escape

from benchmarks.load.stubs.http import Answer, Request, answer_json

_XML = "application/xml"
_DAY_SECONDS = 86_400


@dataclass
class Waiting:
    """`visible` is the instant from which it may be taken (again)."""

    id: str
    text: str
    inserted: float
    visible: float = 0.0
    taken: int = 0
    receipt: str = ""


@dataclass
class Events:
    """Queues by name; `published` counts all events that a topic accepted."""

    queues: dict[str, dict[str, Waiting]] = field(default_factory=dict)
    published: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def handle(self, request: Request) -> Answer | None:
        """The answer, or None when the request is for another service."""
        match request.path.strip("/").split("/"):
            case ["topics", name]:
                return self._publish(name, json.loads(request.body))
            case ["queues", name]:
                waiting = len(self.queues.get(name, {}))
                return Answer(headers=((b"x-ms-approximate-messages-count", str(waiting).encode()),))
            case ["queues", name, "messages"]:
                return self._read(self.queues.get(name, {}), request)
            case ["queues", name, "messages", message]:
                return self._delete(self.queues.get(name, {}), message, request.query.get("popreceipt", ""))
            case ["stub", *rest]:
                return self._control(rest)
        return None

    def _control(self, path: list[str]) -> Answer | None:
        match path:
            case ["queues", name]:
                self.queues[name] = {}
                return answer_json({}, HTTPStatus.CREATED)
            case ["published"]:
                return answer_json(self.published)
        return None

    def _publish(self, name: str, events: list[object]) -> Answer:
        self.published += len(events)
        queue = self.queues.get(name)
        if queue is None:
            return Answer()
        for event in events:
            message = str(next(self._numbers))
            text = base64.b64encode(json.dumps(event).encode()).decode()
            queue[message] = Waiting(message, text, time.time())
        return Answer()

    def _read(self, queue: dict[str, Waiting], request: Request) -> Answer:
        """The first that are visible; peeking leaves them so."""
        now, most = time.time(), int(request.query.get("numofmessages", "1"))
        found = list(itertools.islice((one for one in queue.values() if one.visible <= now), most))
        peeking = request.query.get("peekonly") == "true"
        if not peeking:
            hidden = now + int(request.query.get("visibilitytimeout", "30"))
            for one in found:
                one.visible, one.taken, one.receipt = hidden, one.taken + 1, str(next(self._numbers))
                # Behind those that are visible, so that the next reading finds them first.
                queue[one.id] = queue.pop(one.id)
        listed = "".join(_message(one, peeking=peeking) for one in found)
        text = f'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>{listed}</QueueMessagesList>'
        return Answer(text.encode(), content_type=_XML)

    def _delete(self, queue: dict[str, Waiting], message: str, receipt: str) -> Answer:
        there = queue.get(message)
        if there is None or there.receipt != receipt:
            headers = ((b"x-ms-error-code", b"MessageNotFound"),)
            return Answer(b"", HTTPStatus.NOT_FOUND, _XML, headers)
        del queue[message]
        return Answer(status=HTTPStatus.NO_CONTENT)


def _message(one: Waiting, *, peeking: bool) -> str:
    inserted = formatdate(one.inserted, usegmt=True)
    expires = formatdate(one.inserted + _DAY_SECONDS, usegmt=True)
    held = "" if peeking else f"<PopReceipt>{one.receipt}</PopReceipt>"
    held += "" if peeking else f"<TimeNextVisible>{formatdate(one.visible, usegmt=True)}</TimeNextVisible>"
    return (
        f"<QueueMessage><MessageId>{one.id}</MessageId><InsertionTime>{inserted}</InsertionTime>"
        f"<ExpirationTime>{expires}</ExpirationTime>{held}<DequeueCount>{one.taken}</DequeueCount>"
        f"<MessageText>{escape(one.text)}</MessageText></QueueMessage>"
    )
