from __future__ import annotations

import json

import pytest

from app.llm import structured
from app.llm.chat import Answer
from app.llm.structured import MisfitError
from tests.app.llm.models import PROMPT

SCHEMA = PROMPT.meta.output


def _answer(text: str, finish_reason: str = "stop") -> Answer:
    return Answer(text, "test", "model", "id", finish_reason, 1, 1)


def test_what_fits_is_data() -> None:
    assert structured.parse(SCHEMA, _answer('{"word": "no"}')) == {"word": "no"}


@pytest.mark.parametrize(
    ("text", "finish_reason", "message"),
    [
        ("Sure! Here is", "stop", "is not JSON"),
        ("", "stop", "is not JSON"),
        ('{"word": "y', "length", "max_tokens"),
        ('{"word": "secret"}', "stop", "$.word breaks 'enum'"),
        ("{}", "stop", "$ breaks 'required'"),
        ('{"word": "yes", "more": 1}', "stop", "$ breaks 'additionalProperties'"),
        ("[]", "stop", "$ breaks 'type'"),
    ],
)
def test_what_does_not_fit_is_named_without_quoting_it(text: str, finish_reason: str, message: str) -> None:
    with pytest.raises(MisfitError) as refused:
        structured.parse(SCHEMA, _answer(text, finish_reason))
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_schema_that_lets_anything_through_still_needs_an_object() -> None:
    with pytest.raises(MisfitError, match="no JSON object"):
        structured.parse({}, _answer("[]"))


def test_the_model_is_shown_its_answer_and_where_it_went_wrong() -> None:
    text = json.dumps({"word": "perhaps"})
    with pytest.raises(MisfitError) as refused:
        structured.parse(SCHEMA, _answer(text))
    said, asked = structured.ask_again(_answer(text), refused.value)
    assert said == {"role": "assistant", "content": text}
    assert asked["role"] == "user"
    assert "$.word: 'perhaps' is not one of ['yes', 'no']" in asked["content"]


def test_a_long_list_of_long_faults_is_cut() -> None:
    schema = {"items": {"maxLength": 1}}
    with pytest.raises(MisfitError) as refused:
        structured.parse(schema, _answer(json.dumps(["x" * 10_000] * 100)))
    assert len(refused.value.faults) == 5
    assert max(map(len, refused.value.faults)) < 400
