"""What makes an agent: its folder's prompts and declaration, read together so that they fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.agents import declaration
from app.agents.declaration import Declaration
from app.prompts import library
from app.prompts.library import Library, Trial
from app.prompts.prompt import Prompt


@dataclass(frozen=True)
class Definition:
    library: Library
    declaration: Declaration

    @property
    def default(self) -> Prompt:
        """The prompt of a request that names none and is in no trial."""
        return self.library.served(self.declaration.default)

    def choose(self, name: str | None, correlation_id: str) -> Prompt:
        """The prompt for one request. Raises UnknownPromptError."""
        return self.library.choose(name or self.declaration.default, correlation_id)


def read(
    folder: Path, pins: Mapping[str, str] | None = None, trials: Mapping[str, Trial] | None = None
) -> Definition:
    """The definition in a folder. Raises PromptError, naming the file and what is wrong with it."""
    prompts = library.read(folder, pins or {}, trials or {})
    return Definition(prompts, declaration.read(folder, prompts.names))
