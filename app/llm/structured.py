"""Answers as data: JSON that fits the prompt's output schema, or one more try that is shown the fault."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.llm.chat import Answer, Message

# A model mends the first faults it is told, and a long list costs tokens.
_FAULTS, _FAULT_LENGTH = 5, 300


class MisfitError(ValueError):
    """An answer that does not fit. The message tells where and which rule, never the model's words.

    `faults` quote them, for the model itself.
    """

    def __init__(self, message: str, faults: list[str]) -> None:
        super().__init__(message)
        self.faults = faults


def parse(schema: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The answer's JSON object. Raises MisfitError."""
    try:
        value = json.loads(answer.text)
    except ValueError as error:
        raise _no_json(answer, error) from error
    # Sorted, so that the same answer is always told the same.
    errors = sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: error.json_path)
    if errors:
        rules = ", ".join(f"{error.json_path} breaks {error.validator!r}" for error in errors[:_FAULTS])
        raise MisfitError(f"the answer does not fit the output schema: {rules}", _told(errors))
    if not isinstance(value, dict):
        fault = "the answer is no JSON object"
        raise MisfitError(fault, [fault])
    return value


def ask_again(answer: Answer, misfit: MisfitError) -> list[Message]:
    """What is added to the conversation for the one repair."""
    faults = "\n".join(f"- {fault}" for fault in misfit.faults)
    request = (
        f"Your answer does not fit the required JSON Schema:\n{faults}\n"
        "Answer again: the whole corrected JSON and nothing else."
    )
    return [{"role": "assistant", "content": answer.text}, {"role": "user", "content": request}]


def _no_json(answer: Answer, error: ValueError) -> MisfitError:
    if answer.finish_reason == "length":
        fault = "the answer was cut off because it is too long; it must be shorter"
        return MisfitError("the answer was cut off at its max_tokens", [fault])
    return MisfitError("the answer is not JSON", [f"not JSON: {error}"])


def _told(errors: list[ValidationError]) -> list[str]:
    return [f"{error.json_path}: {error.message[:_FAULT_LENGTH]}" for error in errors[:_FAULTS]]
