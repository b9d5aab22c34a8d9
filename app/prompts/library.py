"""All prompts of an agent, several versions of one side by side, and which of them a request gets.

`<name>.md` is the version in use; `<name>.<version>.md` are others, used where a pin or a trial says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.prompts.prompt import Prompt, PromptError, load, violations

Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class UnknownPromptError(LookupError):
    """A request asks for a prompt that the agent does not have."""


class Trial(BaseModel):
    """`share` (0 to 1) of the correlation ids get this version, each of them always the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version
    share: float = Field(gt=0, le=1)


class Library:
    """Prompts by name, of each the version that is served and the one on trial, if any."""

    def __init__(
        self, files: Mapping[str, Prompt], pins: Mapping[str, str], trials: Mapping[str, Trial]
    ) -> None:
        """`files`: prompts by their files' stems. Raises PromptError for a pin of what is not there."""
        self._versions: dict[str, dict[str, Prompt]] = {}
        for stem, prompt in files.items():
            versions = self._versions.setdefault(prompt.name, {})
            if prompt.meta.version in versions:
                raise PromptError(f"{stem}: version {prompt.meta.version} is there twice; remove one file")
            versions[prompt.meta.version] = prompt
        self._served = {name: self._serve(name, files, pins.get(name)) for name in self._versions}
        for name in {*pins, *trials} - self._versions.keys():
            raise PromptError(f"{name} is pinned or on trial, but there is no prompt of that name")
        self._trials = {name: self._try(name, trial) for name, trial in trials.items()}

    @property
    def names(self) -> list[str]:
        return sorted(self._versions)

    def served(self, name: str) -> Prompt:
        """What a request outside of any trial gets. Raises UnknownPromptError."""
        try:
            return self._served[name]
        except KeyError:
            raise UnknownPromptError(
                f"There is no prompt {name!r}; there is {', '.join(self.names)}."
            ) from None

    def choose(self, name: str, correlation_id: str) -> Prompt:
        """The version for one request. Raises UnknownPromptError."""
        served = self.served(name)
        found = self._trials.get(name)
        if found is None:
            return served
        prompt, share = found
        return prompt if _draw(f"{name}@{prompt.meta.version}:{correlation_id}") < share else served

    def _serve(self, name: str, files: Mapping[str, Prompt], pin: str | None) -> Prompt:
        if pin is not None:
            return self._version(name, pin, "pinned")
        if name not in files:
            raise PromptError(
                f"{name}: there is no {name}.md, which would be the version in use. Add it, or pin one of "
                f"{', '.join(sorted(self._versions[name]))}"
            )
        return files[name]

    def _try(self, name: str, trial: Trial) -> tuple[Prompt, float]:
        tried, served = self._version(name, trial.version, "on trial"), self._served[name]
        # A caller must not be refused because a draw put it in the trial.
        for example in served.meta.examples:
            for path, message in violations(tried.meta.input, example):
                raise PromptError(
                    f"{name}: version {trial.version} is on trial, but refuses an example of version "
                    f"{served.meta.version}: {path}: {message}"
                )
        return tried, trial.share

    def _version(self, name: str, version: str, what: str) -> Prompt:
        versions = self._versions[name]
        if version not in versions:
            raise PromptError(
                f"{name}: version {version} is {what}, but there is {', '.join(sorted(versions))}"
            )
        return versions[version]


def read(folder: Path, pins: Mapping[str, str], trials: Mapping[str, Trial]) -> Library:
    """The library in a folder. Raises PromptError."""
    return Library(load(folder), pins, trials)


def _draw(text: str) -> float:
    """Between 0 and 1, evenly, and the same for the same text on every pod."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
