"""What the engine's provider sends for the deployed stack, what ARM answers, and that ARM refuses anything
near it that is wrong. The judge is independent of the sandbox: see `tests.conformance.bicep`."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox.types import models, table
from tests.conformance.answers import AnswerType
from tests.conformance.bicep import FOLDER, Problem
from tests.conformance.judged import judge_of
from tests.conformance.modelled import round_trip, unmodelled
from tests.conformance.mutations import Mutation, mutations
from tests.conformance.sent import Body, Deployed
from tests.sandboxed import Sandbox

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not FOLDER.is_dir(),
        reason=f"there are no bicep types in {FOLDER}; set AGENTS_BICEP_TYPES to the folder that has them",
    ),
]

_ERROR = {"code", "message", "target", "details"}
#: Mutations that are sent at most; more are thinned out evenly.
MOST = 2000
#: What Azure answers though the specification of the version does not say so: Cosmos DB shows a container
#: and a database as its data plane does, and a registry's newer setting shows in older versions.
_UNSPECIFIED = re.compile(
    r"sqlDatabases(/containers)? properties\.resource\.(_\w+|geospatialConfig)"
    r"|registries properties\.roleAssignmentMode"
)


@dataclass(frozen=True)
class Arm:
    """The running ARM over HTTPS, asked by the deployer."""

    http: httpx.Client
    url: str
    token: str

    def ask(self, method: str, to: Deployed, body: Body | None = None) -> httpx.Response:
        return self.http.request(
            method,
            f"{self.url}{to.id}",
            params={"api-version": to.row.api_version},
            headers={"Authorization": f"Bearer {self.token}"},
            json=body,
        )

    def get(self, of: Deployed) -> Body:
        answer = self.ask("GET", of)
        assert answer.status_code == 200, (of.id, answer.text)
        found: Body = answer.json()
        return found


@pytest.fixture(scope="module")
def arm(sandbox: Sandbox) -> Iterator[Arm]:
    env = sandbox.env
    url = f"https://{env['ARM_METADATA_HOSTNAME']}"
    form = {
        "grant_type": "client_credentials",
        "client_id": env["ARM_CLIENT_ID"],
        "client_secret": env["ARM_CLIENT_SECRET"],
        "scope": f"{url}/.default",
    }
    login = f"{env['AZURE_AUTHORITY_HOST'].rstrip('/')}/{env['ARM_TENANT_ID']}/oauth2/v2.0/token"
    context = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
    with httpx.Client(verify=context, timeout=60) as http:
        token = http.post(login, data=form)
        assert token.status_code == 200, token.text
        yield Arm(http, url, token.json()["access_token"])


@pytest.fixture(scope="module")
def deployed(sandbox: Sandbox) -> list[Deployed]:
    state = sandbox.pulumi("stack", "export", "-s", "dev", "--show-secrets").json()["deployment"]
    rows = [(item, table.by_token(item["type"])) for item in state["resources"]]
    found = [Deployed(item["urn"], row, item["id"], item["inputs"]) for item, row in rows if row]
    assert len(found) == sum(item["type"].startswith("azure-native:") for item in state["resources"])
    assert found
    return found


@pytest.fixture(scope="module")
def sent(arm: Arm, deployed: list[Deployed]) -> list[tuple[Deployed, Body]]:
    """Every body that makes a resource, and every one that updates it."""
    bodies = []
    for item in deployed:
        bodies += [(item, item.created()), (item, item.updated(arm.http, arm.url, arm.token))]
    return bodies


def test_every_body_is_right(sent: list[tuple[Deployed, Body]]) -> None:
    wrong = [f"{item.urn}: {found}" for item, body in sent if (found := judge_of(item.row).problems(body))]
    assert not wrong, "\n".join(wrong)


def test_every_body_survives_the_management_models(sent: list[tuple[Deployed, Body]]) -> None:
    for item, body in sent:
        if item.row.model is None:
            continue  # no management package has one
        model = models.load(item.row.model)
        assert round_trip(model, body) == body, item.urn
        assert list(unmodelled(model, body)) == [], item.urn


def _wrong(deployed: list[Deployed]) -> list[tuple[Deployed, Mutation]]:
    """What the judge finds wrong, once per type and property."""
    found: dict[tuple[str, str, str], tuple[Deployed, Mutation]] = {}
    for item in deployed:
        judge = judge_of(item.row)
        for mutation in mutations(judge, item.created()):
            if judge.problems(mutation.body):
                found.setdefault((item.row.type, mutation.kind, mutation.path), (item, mutation))
    return list(found.values())[:: len(found) // MOST + 1]


def _complaint(mutation: Mutation, answer: httpx.Response) -> str | None:
    """How a refusal is not what ARM's would be; None when it is."""
    if answer.status_code != 400:
        return f"was answered with {answer.status_code}: {answer.text[:300]}"
    body = answer.json()
    error = body.get("error", {})
    if set(body) != {"error"} or not {"code", "message"} <= set(error) <= _ERROR or not error["message"]:
        return f"was refused in another shape: {body}"
    told = [error.get("target"), *(detail.get("target") for detail in error.get("details", []))]
    # An object that is read-only as a whole is refused by what is in it.
    if not any(f"{path}.".startswith(f"{mutation.path}.") for path in told):
        return f"was refused as {told}"
    return None


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body.get(part) if isinstance(body, dict) else None
    return body


def test_every_wrong_property_is_refused_and_changes_nothing(
    arm: Arm, deployed: list[Deployed], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {item.id: arm.get(item) for item in deployed}
    # ARM takes a read-only property that says what is so.
    wrong = [
        (item, mutation)
        for item, mutation in _wrong(deployed)
        if mutation.kind != "read-only"
        or _at(mutation.body, mutation.path) != _at(before[item.id], mutation.path)
    ]
    complaints = []
    for item, mutation in wrong:
        complaint = _complaint(mutation, arm.ask("PUT", item, mutation.body))
        if complaint:
            complaints.append(f"{item.row.type}: {mutation.kind} {mutation.path} {complaint}")
    kinds = [mutation.kind for _, mutation in wrong]
    counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(wrong)} mutations of {len(deployed)} resources sent: {counts}\n")
    assert not complaints, "\n".join(complaints)
    assert set(counts) == {"unknown", "missing", "read-only", "type", "enum"}
    assert {item.id: arm.get(item) for item in deployed} == before


@pytest.mark.usefixtures("sent")
def test_every_answer_is_whole(arm: Arm, deployed: list[Deployed]) -> None:
    """After the update, which sets what ARM itself notes in a resource."""
    wrong = [f"{item.urn}: {found}" for item in deployed if (found := _violations(item, arm.get(item)))]
    assert not wrong, "\n".join(wrong)


def _violations(item: Deployed, answer: Body) -> list[Problem]:
    judge = judge_of(item.row)
    found = AnswerType(judge.types, judge.body).problems(answer)
    name = item.row.type.split("/", 2)[-1]
    return [
        problem
        for problem in found
        if problem[0] != "unknown" or not _UNSPECIFIED.fullmatch(f"{name} {problem[1]}")
    ]
