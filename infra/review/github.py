"""Telling people on GitHub: one comment per pull request, one issue per stack that drifts, updated in place.

    python3 -m infra.review.github comment REPORT --owner OWNER --branch BRANCH --commit SHA
    python3 -m infra.review.github drift FOLDER

Reads GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL as GitHub's runners set them. Standard library only:
it runs under a runner's own Python, in jobs that may write and therefore run nothing of a change.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.review.markdown import LIMIT, MARKER, fenced

LABEL = "drift"
_PAGE = 100


class GitHubError(RuntimeError):
    """GitHub refused or did not answer; the message says what was asked of it."""


@dataclass(frozen=True)
class GitHub:
    """The REST API, for one repository. https://docs.github.com/rest"""

    api: str
    repository: str
    token: str

    @classmethod
    def of_runner(cls) -> GitHub:
        """Raises GitHubError outside a runner."""
        try:
            return cls(
                os.environ.get("GITHUB_API_URL", "https://api.github.com"),
                os.environ["GITHUB_REPOSITORY"],
                os.environ["GITHUB_TOKEN"],
            )
        except KeyError as missing:
            raise GitHubError(f"{missing.args[0]} is not set; GitHub's runners set it") from None

    def pull_request(self, owner: str, branch: str, commit: str) -> int | None:
        """The open pull request whose head is this commit; None when it has moved on or is closed."""
        for pull in self._all("pulls", state="open", head=f"{owner}:{branch}"):
            if pull["head"]["sha"] == commit:
                return int(pull["number"])
        return None

    def comment(self, pull: int, body: str) -> None:
        """Write the report's comment, or write it anew."""
        for comment in self._all(f"issues/{pull}/comments"):
            if comment["user"]["type"] == "Bot" and MARKER in comment["body"]:
                self._call("PATCH", f"issues/comments/{comment['id']}", {"body": body})
                return
        self._call("POST", f"issues/{pull}/comments", {"body": body})

    def open_issue(self, title: str, body: str) -> None:
        """Open an issue of this title, or update the open one."""
        number = self._issue(title)
        if number is None:
            self._call("POST", "issues", {"title": title, "body": body, "labels": [LABEL]})
        else:
            self._call("PATCH", f"issues/{number}", {"body": body})

    def close_issue(self, title: str) -> None:
        """Close the open issue of this title, if there is one."""
        number = self._issue(title)
        if number is not None:
            self._call("PATCH", f"issues/{number}", {"state": "closed", "state_reason": "completed"})

    def _issue(self, title: str) -> int | None:
        for issue in self._all("issues", state="open", labels=LABEL):
            if issue["title"] == title and "pull_request" not in issue:
                return int(issue["number"])
        return None

    def _all(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            parameters = urllib.parse.urlencode({**query, "per_page": _PAGE, "page": page})
            found = self._call("GET", f"{path}?{parameters}")
            yield from found
            if len(found) < _PAGE:
                return
            page += 1

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.api}/repos/{self.repository}/{path}"
        request = urllib.request.Request(  # noqa: S310 - GitHub's own address
            url,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise GitHubError(f"{method} {url} was answered {error.code}: {said}") from error
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise GitHubError(f"{method} {url} failed: {error}") from error


def comment(github: GitHub, report: Path, owner: str, branch: str, commit: str) -> str:
    """Put a report under the pull request that it is about; says what was done."""
    pull = github.pull_request(owner, branch, commit)
    if pull is None:
        return f"no open pull request of {owner}:{branch} is at {commit}; nothing to do"
    # The report comes from a job that runs the change's own code: it may say anything.
    origin = f"\n\n_Rendered by the change's own code at {commit[:12]}._\n"
    text = report.read_text(encoding="utf-8", errors="replace").replace(MARKER, "").strip()
    github.comment(pull, f"{MARKER}\n{text[: LIMIT - len(MARKER) - len(origin) - 1]}{origin}")
    return f"the comment of pull request {pull} is up to date"


def drift(github: GitHub, folder: Path) -> Iterator[str]:
    """Open, update or close the issue of each stack in `folder/drift-<stack>/drift.txt` (empty: no drift).

    A stack without a file could not be looked at: its issue stays as it is.
    """
    for file in sorted(folder.glob("drift-*/drift.txt")):
        stack = file.parent.name.removeprefix("drift-")
        title, text = f"{stack} has drifted", file.read_text(encoding="utf-8", errors="replace").strip()
        if not text:
            github.close_issue(title)
            yield f"{stack} is as declared"
            continue
        remedy = f"Either declare it, or let `pulumi up -s {stack}` take it back."
        head = f"What runs is not what is declared. {remedy}\n\n"
        plain = text.replace("```", '"' * 3)[: LIMIT - len(head) - 100]
        github.open_issue(title, head + fenced(plain))
        yield f"{stack} has drifted; its issue is up to date"


def main(arguments: list[str] | None = None) -> int:
    """0 when GitHub was told, 1 when it could not be."""
    parser = argparse.ArgumentParser(prog="python3 -m infra.review.github")
    commands = parser.add_subparsers(dest="command", required=True)
    on_pull = commands.add_parser("comment", help="put a report under its pull request")
    on_pull.add_argument("report", type=Path)
    for name in ("owner", "branch", "commit"):
        on_pull.add_argument(f"--{name}", required=True, help=f"{name} of the pull request's head")
    commands.add_parser("drift", help="open or close issues").add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        github = GitHub.of_runner()
        if options.command == "comment":
            said = [comment(github, options.report, options.owner, options.branch, options.commit)]
        else:
            said = list(drift(github, options.folder))
    except (GitHubError, OSError) as error:
        sys.stderr.write(f"github: {error}\n")
        return 1
    sys.stdout.write("".join(f"github: {line}\n" for line in said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
