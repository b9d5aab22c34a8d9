"""What an agent's folder declares beside its prompts, in `agent.yaml`: hooks, and events it emits and takes.

Expressions see `constants` (of the file). Those of an emission also see `execution` (`id`, `prompt`,
`promptVersion`), `input` and `output`; those of a listener see `event` (its attributes) and `data`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from app.agents.expressions import compiled, evaluate
from app.agents.hooks import Hook
from app.events.event import Event
from app.prompts.prompt import PromptError
from app.store.executions import Execution

FILE = "agent.yaml"
_EVENTS = uuid.UUID("f1f4b7c4-3c0e-4e55-9a0e-6f0f0a1d1c52")


class DeclarationError(PromptError):
    """A declaration that cannot be used; the message names file and fault."""


def _compiles(text: str) -> str:
    compiled(text)
    return text


Expression = Annotated[str, AfterValidator(_compiles)]
EventType = Annotated[str, StringConstraints(pattern=r"^agents\.[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*)+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Emission(_Part):
    """An event that follows from an execution, `when` it says so; `data` is what it carries."""

    type: EventType
    prompt: str | None = None
    when: Expression | None = None
    data: dict[str, Expression] = {}

    def data_of(self, constants: Mapping[str, Any], execution: Execution) -> dict[str, Any] | None:
        """The event's data; None when the execution causes no such event. Raises ExpressionError."""
        if self.prompt not in {None, execution.prompt}:
            return None
        facts = {"id": execution.id, "prompt": execution.prompt, "promptVersion": execution.prompt_version}
        seen = {
            "constants": constants,
            "execution": facts,
            "input": execution.input,
            "output": execution.output,
        }
        if self.when is not None and not evaluate(self.when, **seen):
            return None
        return _filled(self.data, seen)


class Listener(_Part):
    """An event type that the agent acts upon, `when` it says so, with `prompt` (None: the default one)."""

    type: EventType
    prompt: str | None = None
    when: Expression | None = None
    input: dict[str, Expression]

    def input_of(self, constants: Mapping[str, Any], event: Event) -> dict[str, Any] | None:
        """The prompt's input; None when the event is none of the agent's business. Raises ExpressionError."""
        facts = event.model_dump(mode="json", exclude={"data"})
        seen = {"constants": constants, "event": facts, "data": event.data}
        if event.type != self.type or (self.when is not None and not evaluate(self.when, **seen)):
            return None
        return _filled(self.input, seen)


class Task(_Part):
    """What an event asks of an agent."""

    prompt: str
    input: dict[str, Any]


def _named(emission: Any) -> Any:
    """An emission may be its type alone."""
    return {"type": emission} if isinstance(emission, str) else emission


class Declaration(_Part):
    """The content of `agent.yaml`; `default` is the prompt of who names none."""

    default: str
    constants: dict[str, Any] = {}
    hooks: list[Hook] = []
    emits: list[Annotated[Emission, BeforeValidator(_named)]] = []
    listens: list[Listener] = []

    def task_for(self, event: Event) -> Task | None:
        """What the event asks for, by the first listener that it fits. Raises ExpressionError."""
        for listener in self.listens:
            value = listener.input_of(self.constants, event)
            if value is not None:
                return Task(prompt=listener.prompt or self.default, input=value)
        return None

    def events_of(
        self, execution: Execution, cause: Event | None, at: datetime, traceparent: str | None = None
    ) -> list[Event]:
        """What an execution gives rise to, in the trace `traceparent`; `cause` is the event that led to it.

        Raises ExpressionError. The ids follow from execution and type, so that what is published twice is
        known for the same event.
        """
        found = ((one.type, one.data_of(self.constants, execution)) for one in self.emits)
        return [
            Event(
                id=str(uuid.uuid5(_EVENTS, f"{execution.id}/{kind}")),
                source=f"/agents/{execution.agent}",
                type=kind,
                subject=f"executions/{execution.id}",
                time=at,
                data=data,
                correlationid=execution.correlation_id,
                hops=cause.hops + 1 if cause else 0,
                traceparent=traceparent,
            )
            for kind, data in found
            if data is not None
        ]


def _filled(fields: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, Any]:
    """Every field's value, without those that are None."""
    values = {name: evaluate(text, **seen) for name, text in fields.items()}
    return {name: value for name, value in values.items() if value is not None}


def parse(text: str) -> Declaration:
    """Raises DeclarationError."""
    try:
        return Declaration.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        raise DeclarationError(f"{FILE}: {error}") from error


def read(folder: Path, prompts: list[str]) -> Declaration:
    """The folder's declaration; a single prompt needs none. Raises DeclarationError."""
    file = folder / FILE
    if file.exists():
        declaration = parse(file.read_text(encoding="utf-8"))
    elif len(prompts) == 1:
        declaration = Declaration(default=prompts[0])
    else:
        raise DeclarationError(
            f"{folder} has the prompts {', '.join(prompts)}: add {FILE} with `default: <name>`"
        )
    parts: list[Emission | Listener] = [*declaration.emits, *declaration.listens]
    used = {declaration.default, *(part.prompt for part in parts)}
    for name in sorted(used - {None, *prompts}, key=str):
        raise DeclarationError(f"{FILE}: there is no prompt {name}; there is {', '.join(prompts)}")
    return declaration
