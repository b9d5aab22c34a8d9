"""How a deployment's request may be written: as `az` does, with the template's text in it as it is."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.azure.deployments.templates import asked, template, thing
from tests.sandbox.azure.deployments.test_runs import MAIN, at, until
from tests.sandbox.clouds import GROUP, Client

_JSON = {"Content-Type": "application/json"}


def _written(text: str) -> bytes:
    """`az deployment group create --template-file`."""
    return ('{"properties": {"mode": "Incremental", "parameters": {}, template:' + text + "}}").encode()


async def test_a_template_may_have_comments(arm: Client) -> None:
    text = json.dumps(template(thing("first")), indent=2)
    content = _written(text.replace("{", "{ // says what is there\n", 1).replace("]", ", /* no more */ ]"))
    answer = await arm.ask("PUT", MAIN, content=content, headers=_JSON)
    assert answer.status_code == 201, answer.text
    await until(arm, "Succeeded")
    assert (await arm.get(at("first")))["name"] == "first"


@pytest.mark.parametrize(
    "content",
    [
        _written("{"),
        _written("[" * 100_000),
        _written('{"contentVersion": NaN}'),
        b"\xff",
        _written('{"$schema": "' + "x" * 600_000 + '"}'),
    ],
    ids=["broken", "deep", "no number", "no text", "too large to be read so"],
)
async def test_what_is_no_template_in_any_writing_is_refused(arm: Client, content: bytes) -> None:
    assert await arm.refused("PUT", MAIN, content=content, headers=_JSON) == (400, "InvalidRequestContent")


async def test_other_requests_are_json(arm: Client) -> None:
    content = b'{"location": "westeurope", /* note */ "tags": {}}'
    refused = await arm.refused("PUT", GROUP, content=content, headers=_JSON)
    assert refused == (400, "InvalidRequestContent")
    assert (await arm.ask("PUT", MAIN, asked(template(thing("second"))))).status_code == 201
