"""Every body that the program sends to ARM, judged; and each of its properties made wrong, one at a time."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.types import cache, models
from sandbox.types.problems import problems
from sandbox.types.validate import validate
from tests.conformance.judged import judge_of
from tests.conformance.mutations import Mutation, mutations
from tests.conformance.program import Declared, declared

EXPECTED = {
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.ContainerService/managedClusters/agentPools",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.KeyVault/vaults",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.CognitiveServices/accounts/deployments",
    "Microsoft.OperationalInsights/workspaces",
}


@pytest.fixture(scope="module")
def program() -> list[Declared]:
    return declared("dev")


def test_the_program_declares_what_it_is_judged_for(program: list[Declared]) -> None:
    assert {item.row.type for item in program} >= EXPECTED


def test_every_body_is_right(program: list[Declared]) -> None:
    assert _faults(program) == {}


def test_every_body_of_a_stamp_is_right() -> None:
    assert _faults(declared("prod-dr")) == {}


def _faults(program: list[Declared]) -> dict[str, object]:
    found = {item.name: judge_of(item.row).problems(item.body) for item in program}
    return {name: problems for name, problems in found.items() if problems}


def test_every_body_is_accepted(program: list[Declared]) -> None:
    for item in program:
        validate(item.row.types[0], item.body, item.row.api_version)


def _wrong(program: list[Declared]) -> Iterator[tuple[Declared, Mutation]]:
    for item in program:
        judge = judge_of(item.row)
        for mutation in mutations(judge, item.body):
            if judge.problems(mutation.body):
                yield item, mutation


def test_every_wrong_property_is_refused_with_arms_error_and_its_path(program: list[Declared]) -> None:
    kinds = set()
    for item, mutation in _wrong(program):
        kinds.add(mutation.kind)
        with pytest.raises(ArmError) as refusal:
            validate(item.row.types[0], mutation.body, item.row.api_version)
        error = refusal.value
        assert error.status == 400
        told = [error.target, *(detail.target for detail in error.details)]
        # An object that is read-only as a whole is refused by what is in it.
        assert any(f"{path}.".startswith(f"{mutation.path}.") for path in told) or not mutation.path, (
            f"{item.name}: {mutation.kind} {mutation.path} was refused as {told}"
        )
        assert set(error.body()["error"]) <= {"code", "message", "target", "details"}
    assert kinds == {"unknown", "missing", "read-only", "type", "enum"}


def test_an_echo_of_a_read_only_property_is_tolerated(program: list[Declared]) -> None:
    for item, mutation in _wrong(program):
        if mutation.kind == "read-only":
            found = problems(cache.schema(item.row), mutation.body, mutation.body)
            assert [problem for problem in found if problem.reason == "read-only"] == []


def test_every_body_survives_the_management_models(program: list[Declared]) -> None:
    for item in program:
        if item.row.model is None:
            continue
        model: Any = models.load(item.row.model)
        if models.is_old(model):
            again = model.deserialize(item.body).serialize()
        else:
            again = model(item.body).as_dict()
        assert again == item.body, item.name
