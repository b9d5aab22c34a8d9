"""The few endpoints of GitHub's REST API that are used, over HTTP, with its paging and its refusals."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

TOKEN = "fake-token"
REPOSITORY = "octo/agents"


@dataclass
class FakeGitHub:
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    #: (method, path) of everything that was asked.
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def environment(self) -> dict[str, str]:
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        for verb, pattern, handle in self._routes():
            found = re.fullmatch(f"/repos/{REPOSITORY}/{pattern}", path)
            if verb == method and found:
                answer = handle(query, body, *map(int, found.groups()))
                return (201 if method == "POST" else 200), answer
        return 404, {"message": "Not Found"}

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "pulls", self._pulls),
            ("GET", r"issues/(\d+)/comments", lambda query, _, n: _page(self.comments.get(n, []), query)),
            ("POST", r"issues/(\d+)/comments", self._comment),
            ("PATCH", r"issues/comments/(\d+)", self._edit_comment),
            ("GET", "issues", self._open_issues),
            ("POST", "issues", self._open_issue),
            ("PATCH", r"issues/(\d+)", self._edit_issue),
        ]

    def _pulls(self, query: dict[str, str], _: Any) -> Any:
        owner, branch = query["head"].split(":")
        found = [p for p in self.pulls if (p["head"]["owner"], p["head"]["ref"]) == (owner, branch)]
        return _page(found, query)

    def _comment(self, _: Any, body: dict[str, Any], number: int) -> Any:
        made = {"id": next(self.ids), "user": {"type": "Bot"}, **body}
        self.comments.setdefault(number, []).append(made)
        return made

    def _edit_comment(self, _: Any, body: dict[str, Any], number: int) -> Any:
        (found,) = [one for all_ in self.comments.values() for one in all_ if one["id"] == number]
        found.update(body)
        return found

    def _open_issues(self, query: dict[str, str], _: Any) -> Any:
        found = [i for i in self.issues if i["state"] == "open" and query["labels"] in i["labels"]]
        return _page(found, query)

    def _open_issue(self, _: Any, body: dict[str, Any]) -> Any:
        made = {"number": next(self.ids), "state": "open", **body}
        self.issues.append(made)
        return made

    def _edit_issue(self, _: Any, body: dict[str, Any], number: int) -> Any:
        (found,) = [issue for issue in self.issues if issue["number"] == number]
        found.update(body)
        return found


def _page(found: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query["per_page"]), int(query["page"])
    assert size <= 100
    return found[size * (page - 1) : size * page]


@contextmanager
def serving(github: FakeGitHub) -> Iterator[FakeGitHub]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            parts = urlparse(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            github.requests.append((self.command, parts.path))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, answer = 401, {"message": "Bad credentials"}
            elif len(body.get("body", "")) > 65_536:
                status, answer = 422, {"message": "body is too long"}
            else:
                status, answer = github.answer(self.command, parts.path, query, body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
