"""A shell that runs nothing: it notes each command, and answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drills.shell import CommandError, Done, Shell


@dataclass(frozen=True)
class Scripted(Shell):
    """`answers`: words that follow each other in a command -> what it prints, or (code, what it prints), or a
    list of these, one after the other. What is not named succeeds and prints nothing."""

    env: Mapping[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, *command: str, check: bool = True, timeout: float = 0, stdin: str | None = None) -> Done:
        line = " ".join(command)
        self.ran.append(line)
        code, out = self._answer(line)
        if check and code:
            raise CommandError(f"{line} ended with code {code}:\n{out}")
        return Done(code, out, "", 0.0)

    def _answer(self, line: str) -> tuple[int, str]:
        for words, told in self.answers.items():
            if words in line:
                answer = told.pop(0) if isinstance(told, list) else told
                return answer if isinstance(answer, tuple) else (0, answer)
        return 0, ""

    def order(self, *words: str) -> list[str]:
        """Which of these were run, in the order in which they were, each as often as it was."""
        return [word for line in self.ran for word in words if word in line]


def stacks(*names: str) -> str:
    """What `pulumi stack ls --json` prints."""
    return json.dumps([{"name": name, "current": False} for name in names])
