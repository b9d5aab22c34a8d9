"""The bodies that `pulumi up` really sent, made again from the state of the deployed stack, and judged."""

import pytest

from sandbox.engine.azure_native.naming import is_auto
from sandbox.types import table, translate
from sandbox.types.validate import validate
from tests.conformance.judged import judge_of
from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


def test_every_body_that_was_sent_is_right(sandbox: Sandbox) -> None:
    state = sandbox.pulumi("stack", "export", "-s", "dev", "--show-secrets").json()["deployment"]
    resources = [item for item in state["resources"] if table.by_token(item["type"])]
    assert resources, "the stack has no Azure resources"
    for item in resources:
        row = table.by_token(item["type"])
        assert row is not None
        body = translate.to_wire(row.types[0], item["inputs"])
        assert judge_of(row).problems(body) == [], item["urn"]
        validate(row.types[0], body, row.api_version)


def test_names_are_the_programs_own(sandbox: Sandbox) -> None:
    """Contracts name every resource; a name made up at random would be none of them."""
    state = sandbox.pulumi("stack", "export", "-s", "dev").json()["deployment"]
    for item in state["resources"]:
        row = table.by_token(item["type"])
        if row is not None and row.name_parameter and row.autoname != "uuid":
            logical = item["urn"].split("::", 3)[3]
            assert not is_auto(row, logical, item["inputs"].get(row.name_parameter)), item["urn"]
