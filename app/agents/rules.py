"""What the agents' declarations must be together: whoever listens is told, and can use what it hears."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from app.agents import hooks
from app.agents.definition import Definition
from app.agents.expressions import ExpressionError
from app.events.event import Event
from app.prompts.prompt import InputError, Prompt
from app.prompts.schemas import enlarged, sample
from app.store.executions import Execution, Usage

# A storage queue takes messages of 64 KiB in Base64.
# https://learn.microsoft.com/azure/event-grid/handler-storage-queues
MOST_BYTES = 48 * 1024
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Answers to try an emission with: no, some and many items, and between them every choice of every
# enumeration; and with texts as long as a model may make them, of characters of three bytes.
_WORDS = [("a word", number) for number in range(9)]
_LONG = [("€" * 20_000, number) for number in (1, 8)]


def faults(agents: Mapping[str, Definition]) -> Iterator[tuple[str, str]]:
    """(agent, what is wrong), by agent name."""
    emitted = {one.type: agent for agent, found in agents.items() for one in found.declaration.emits}
    for agent, found in agents.items():
        for one in found.declaration.emits:
            if not one.type.startswith(f"agents.{agent}."):
                yield agent, f"emits {one.type}: its types must begin with agents.{agent}."
        for listener in found.declaration.listens:
            if listener.type not in emitted:
                known = ", ".join(sorted(emitted)) or "none"
                yield agent, f"listens to {listener.type}, which no agent emits; emitted are: {known}"
            yield from ((agent, fault) for fault in _fields(found, listener.prompt, listener.input))
        yield from _try(agent, found, agents)


def _fields(found: Definition, prompt: str | None, given: Mapping[str, str]) -> Iterator[str]:
    schema = found.library.served(prompt or found.declaration.default).meta.input
    for name in given.keys() - schema["properties"].keys():
        yield f"listens: the prompt takes no {name}"
    for name in set(schema.get("required", ())) - given.keys():
        yield f"listens: the prompt needs {name}"


def _try(agent: str, found: Definition, agents: Mapping[str, Definition]) -> Iterator[tuple[str, str]]:
    """Emit for sampled executions, and hand what comes to those who listen. Each fault once."""
    told: set[tuple[str, str]] = set()
    for answered in _executions(agent, found):
        try:
            output = hooks.apply(found.declaration.hooks, answered.input, answered.output)
            events = found.declaration.events_of(answered.model_copy(update={"output": output}), None, _NOW)
        except ExpressionError as error:
            told.add((agent, f"emits: {_short(error)}"))
            continue
        except KeyError as error:
            told.add((agent, f"hooks: one of them misses {error}"))
            continue
        for event in events:
            if len(json.dumps(event.sent(), ensure_ascii=False).encode()) > MOST_BYTES:
                told.add((agent, f"emits {event.type} of more than {MOST_BYTES} bytes: bound its fields"))
            told.update(_heard(event, agents))
    yield from sorted(told)


def _heard(event: Event, agents: Mapping[str, Definition]) -> Iterator[tuple[str, str]]:
    for agent, found in agents.items():
        try:
            task = found.declaration.task_for(event)
            if task is not None:
                found.library.served(task.prompt).render(task.input)
        except ExpressionError as error:
            yield agent, f"listens to {event.type}: {_short(error)}"
        except InputError as error:
            path, message = error.problems[0]
            yield (
                agent,
                f"listens to {event.type}: makes an input that does not fit: {path}: {_short(message)}",
            )


def _executions(agent: str, found: Definition) -> Iterator[Execution]:
    for name in found.library.names:
        prompt = found.library.served(name)
        for value, answers in _inputs(prompt):
            for text, number in answers:
                output = sample(prompt.meta.output, text=text, number=number)
                yield Execution(
                    id="00000000-0000-0000-0000-000000000000",
                    agent=agent,
                    prompt=prompt.name,
                    prompt_version=prompt.meta.version,
                    input=value,
                    output=output,
                    provider="sample",
                    model="sample",
                    usage=Usage(prompt_tokens=0, completion_tokens=0),
                    correlation_id="sample",
                    started_at=_NOW,
                    finished_at=_NOW,
                )


def _inputs(prompt: Prompt) -> Iterator[tuple[dict[str, Any], list[tuple[str, int]]]]:
    """Inputs, each with the answers (text and number of a sample) to try it with."""
    for example in prompt.meta.examples:
        yield example, _WORDS
        yield enlarged(prompt.meta.input, example, "€"), _LONG


def _short(message: object) -> str:
    text = str(message)
    return text if len(text) <= 200 else f"{text[:200]}…"
