"""The few endpoints of GitHub's REST API that are used, over HTTP, with its paging and its refusals."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
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
        match method, path.split("/")[3:]:
            case "GET", ["repos" | _, *_] if path.endswith("/pulls"):
                owner, branch = query["head"].split(":")
                found = [p for p in self.pulls if (p["head"]["owner"], p["head"]["ref"]) == (owner, branch)]
                return 200, _page(found, query)
            case "GET", [*_, "issues", number, "comments"]:
                return 200, _page(self.comments.get(int(number), []), query)
            case "POST", [*_, "issues", number, "comments"]:
                made = {"id": next(self.ids), "user": {"type": "Bot"}, **body}
                self.comments.setdefault(int(number), []).append(made)
                return 201, made
            case "PATCH", [*_, "issues", "comments", number]:
                (found_one,) = [c for all_ in self.comments.values() for c in all_ if c["id"] == int(number)]
                found_one.update(body)
                return 200, found_one
            case "GET", [*_, "issues"]:
                matching = [i for i in self.issues if i["state"] == "open" and query["labels"] in i["labels"]]
                return 200, _page(matching, query)
            case "POST", [*_, "issues"]:
                made = {"number": next(self.ids), "state": "open", **body}
                self.issues.append(made)
                return 201, made
            case "PATCH", [*_, "issues", number]:
                (issue,) = [i for i in self.issues if i["number"] == int(number)]
                issue.update(body)
                return 200, issue
        return 404, {"message": "Not Found"}


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
            elif not parts.path.startswith(f"/repos/{REPOSITORY}/"):
                status, answer = 404, {"message": "Not Found"}
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
