"""A stamp takes over from a source that is silent, or when it is told to; and only where there is something
to stand on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_azure_native import authorization

from app.api import correlation
from infra.azure import resource_manager
from infra.cloud import WELL_KNOWN
from infra.settings import Settings, SettingsError, parse
from infra.stacks import takeover
from infra.stacks.source import Source
from infra.stacks.takeover import World, answer_of, problems_of

pytestmark = pytest.mark.usefixtures("loop")

ZONE = "example.com"
RG = "resourceGroups/rg-agents-prod/providers"
GROUP = f"{RG}/Microsoft.Sql/servers/sql-agents-prod-backup/failoverGroups/fog-agents-prod"
IDENTITY = f"{RG}/Microsoft.ManagedIdentity/userAssignedIdentities/id-standby-agents-prod"
ACCOUNT = f"{RG}/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod"
RECORD = f"{RG}/Microsoft.Network/dnsZones/example.com/A/agents-prod"
IN_BOTH = [{"locationName": "West Europe"}, {"locationName": "North Europe"}]
THERE: dict[str, dict[str, Any]] = {
    GROUP: {},
    IDENTITY: {"properties": {"clientId": "c"}},
    ACCOUNT: {"properties": {"locations": IN_BOTH}},
    RECORD: {"properties": {"TTL": 60}},
}
PROD: dict[str, Any] = {
    "azure-native:location": "westeurope",
    "agents:paired_location": "northeurope",
    "agents:version": "1.0.0",
    "agents:domain": ZONE,
    "agents:agents": {"notification": {}, "devops": {}},
    "agents:authentication": {"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://a"},
    "agents:registry": {"sku": "Premium"},
}


class Site:
    """What answers under the source's name; `asked` are the URLs."""

    def __init__(self, answer: str | None = None) -> None:
        self.answer, self.asked = answer, list[str]()

    def ask(self, url: str) -> str | None:
        self.asked.append(url)
        return self.answer


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {})
    return tmp_path


def write(project: Path, changes: dict[str, Any]) -> None:
    (project / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": {**PROD, **changes}}))


def stamp(project: Path, **recovery: Any) -> Settings:
    own = {"role": "recovery", "source": "prod", "location": "", "recovery": json.dumps(recovery)}
    return parse(own, "prod-dr", project)


def problems(
    project: Path,
    settings: Settings,
    there: dict[str, dict[str, Any]] = THERE,
    site: Site | None = None,
    *,
    agents: bool = False,
) -> list[str]:
    config = yaml.safe_load((project / "Pulumi.prod.yaml").read_text())["config"]
    values = {key.rpartition(":")[2]: value for key, value in config.items()}
    source = Source(parse(values, "prod", project), WELL_KNOWN["public"])
    world = World(lambda path, _version: there.get(path), (site or Site()).ask, lambda: agents)
    return problems_of(settings, source, ZONE, world)


def test_a_silent_source_is_stood_in_for(project: Path) -> None:
    site = Site()
    assert problems(project, stamp(project), site=site) == []
    # Every agent was asked: one that answers is enough.
    assert sorted(site.asked) == [
        "https://agents-prod.example.com/api/devops/health",
        "https://agents-prod.example.com/api/notification/health",
    ]


def test_a_source_that_answers_is_not_taken_over_from(project: Path) -> None:
    (problem,) = problems(project, stamp(project), site=Site("https://agents-prod.example.com answers 200"))
    assert "https://agents-prod.example.com answers 200" in problem
    assert "pulumi config set --stack prod-dr --path agents:recovery.acknowledged true" in problem


def test_unless_that_is_acknowledged(project: Path) -> None:
    site = Site("answers 200")
    assert problems(project, stamp(project, acknowledged=True), site=site) == []
    assert site.asked == []


def test_who_serves_already_is_not_stopped_by_its_own_answer(project: Path) -> None:
    ours = {**THERE, RECORD: {"properties": {"metadata": {"servedBy": "prod-dr"}}}}
    assert problems(project, stamp(project), ours, Site("answers 200")) == []
    theirs = {**THERE, RECORD: {"properties": {"metadata": {"servedBy": "prod-dr2"}}}}
    assert problems(project, stamp(project), theirs, Site("answers 200")) != []


def written_by(role: str, **more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`role`: of the source's second server."""
    return {**THERE, GROUP: {"properties": {"replicationRole": role}}, **more}


OURS = {RECORD: {"properties": {"metadata": {"servedBy": "prod-dr"}}}}


def test_what_was_returned_is_not_taken_by_force_because_the_name_still_leads_here(project: Path) -> None:
    """The name is taken back by the source's update, after the data: what answers under it says nothing."""
    (problem,) = problems(project, stamp(project), written_by("Secondary", **OURS))
    assert "SQL is written by server sql-agents-prod again" in problem
    assert "--stack prod-dr --path agents:recovery.acknowledged true" in problem
    assert problems(project, stamp(project, acknowledged=True), written_by("Secondary", **OURS)) == []
    assert problems(project, stamp(project), written_by("Primary", **OURS)) == []


def test_nothing_is_drained_that_was_never_taken_over(project: Path) -> None:
    """A phase that was left in the settings, or set backwards, would fail over a healthy source by force."""
    (problem,) = problems(project, stamp(project, phase="drained"), written_by("Secondary"))
    assert "SQL is written by server sql-agents-prod: prod-dr has nothing of prod to give back" in problem
    assert "--path agents:recovery.phase returned" in problem
    assert problems(project, stamp(project, phase="drained"), written_by("Primary")) == []
    own = stamp(project, phase="drained", sql="geo-restore")
    assert problems(project, own, written_by("Secondary")) == []


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"sql": "geo-restore"}, "still write the sql"),
        ({"cosmos": "restore", "as_of": "2026-11-28T09:59:30Z"}, "still write the cosmos"),
    ],
    ids=["sql", "cosmos"],
)
def test_data_of_its_own_is_not_returned_while_agents_write_it(
    project: Path, own: dict[str, Any], named: str
) -> None:
    returned = stamp(project, phase="returned", **own)
    (problem,) = problems(project, returned, agents=True)
    assert named in problem
    assert "--path agents:recovery.phase drained" in problem
    assert problems(project, returned, agents=False) == []
    # What fails back does so as planned, whoever writes it.
    assert problems(project, stamp(project, phase="returned"), agents=True) == []


@pytest.mark.parametrize("phase", ["drained", "returned"])
def test_the_way_back_is_open_while_the_source_answers(project: Path, phase: str) -> None:
    assert problems(project, stamp(project, phase=phase), {}, Site("answers 200")) == []


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (GROUP, "no failover group fog-agents-prod at server sql-agents-prod-backup"),
        (IDENTITY, "no identity id-standby-agents-prod"),
        (ACCOUNT, "there is no account cosmos-agents-prod, not in northeurope"),
    ],
    ids=["failover group", "identity", "account"],
)
def test_what_it_would_stand_on_is_named_where_it_is_missing(project: Path, gone: str, named: str) -> None:
    site = Site("answers 200")
    (problem,) = problems(
        project, stamp(project), {path: one for path, one in THERE.items() if path != gone}, site
    )
    assert named in problem
    assert "update prod with agents:paired_location while it is whole" in problem
    assert site.asked == []


def test_an_account_without_the_second_region_is_refused(project: Path) -> None:
    alone = {**THERE, ACCOUNT: {"properties": {"locations": IN_BOTH[:1]}}}
    (problem,) = problems(project, stamp(project), alone)
    assert "account cosmos-agents-prod is in westeurope, not in northeurope" in problem


OWN = f"{RG}/".replace("prod", "prod-dr")
OWN_DATABASE = f"{OWN}Microsoft.Sql/servers/sql-agents-prod-dr/databases/AgentsDB"
OWN_ACCOUNT = f"{OWN}Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod-dr"


@pytest.mark.parametrize(
    ("own", "there", "is_returned"),
    [
        ({"sql": "geo-restore"}, {OWN_DATABASE: {"tags": {"serves": "nobody"}}}, True),
        ({"sql": "geo-restore"}, {OWN_DATABASE: {"tags": {"serves": "prod-dr"}}}, False),
        ({"cosmos": "restore"}, {OWN_ACCOUNT: {"properties": {"locations": IN_BOTH}}}, True),
        ({"cosmos": "restore"}, {OWN_ACCOUNT: {"properties": {"locations": IN_BOTH[1:]}}}, False),
    ],
    ids=["sql", "sql-serves", "cosmos", "cosmos-serves"],
)
def test_what_was_made_ready_to_be_fetched_is_not_written_again(
    project: Path, own: dict[str, Any], there: dict[str, Any], *, is_returned: bool
) -> None:
    recovery = {**own, **({"as_of": "2026-11-28T09:59:30Z"} if "cosmos" in own else {})}
    found = problems(project, stamp(project, **recovery), {**THERE, **there}, Site())
    assert any("was returned: prod may have fetched it" in one for one in found) is is_returned
    assert len(found) == is_returned
    assert problems(project, stamp(project, **recovery, acknowledged=True), {**THERE, **there}, Site()) == []


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("westeurope", "both are in westeurope"),
        ("swedencentral", "it is in swedencentral, and the second copies of prod are in northeurope"),
    ],
)
def test_a_stamp_elsewhere_than_the_copies_is_refused(project: Path, location: str, message: str) -> None:
    settings = stamp(project).model_copy(update={"location": location})
    (problem,) = problems(project, settings)
    assert message in problem
    assert "set azure-native:location to" in problem


def test_a_source_without_copies_is_refused_wherever_the_stamp_is(project: Path) -> None:
    write(project, {"agents:paired_location": None})
    own = {"role": "recovery", "source": "prod", "location": "northeurope"}
    (problem,) = problems(project, parse(own, "prod-dr", project))
    assert "prod has no second region (agents:paired_location in Pulumi.prod.yaml)" in problem
    assert "Azure restores an account only into a region in which it was at that moment" in problem


def test_a_restored_copy_without_a_second_one_is_refused(project: Path) -> None:
    write(project, {"agents:restores": [{"as_of": "2026-11-28T09:59:30Z", "services": ["sql"]}]})
    (problem,) = problems(project, stamp(project))
    assert "the copy of sql that prod uses was restored, and has no second one in northeurope" in problem
    write(
        project, {"agents:restores": [{"as_of": "2026-11-28T09:59:30Z", "services": ["sql"], "paired": True}]}
    )
    assert problems(project, stamp(project)) == []


def test_another_domain_than_the_sources_is_refused(project: Path) -> None:
    settings = stamp(project).model_copy(update={"domain": "example.org"})
    (problem,) = problems(project, settings)
    assert "agents:domain is example.org, and in Pulumi.prod.yaml example.com" in problem


@pytest.mark.parametrize("preview", [True, False])
def test_a_preview_says_what_an_update_refuses(
    project: Path, monkeypatch: pytest.MonkeyPatch, *, preview: bool
) -> None:
    said: list[str] = []
    settings = stamp(project)
    source = Source(
        parse({key.rpartition(":")[2]: one for key, one in PROD.items()}, "prod", project),
        WELL_KNOWN["public"],
    )
    config = type("Config", (), {"subscription_id": "s", "token": "t"})
    monkeypatch.setattr(authorization, "get_client_config", lambda: config)
    monkeypatch.setattr(authorization, "get_client_token", lambda: config)
    monkeypatch.setattr(resource_manager, "read", lambda url, bearer: None)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    if preview:
        takeover.check(settings, source, ZONE)
        assert "prod-dr cannot stand in for prod:\n  - there is no failover group" in said[0]
    else:
        with pytest.raises(SettingsError, match="prod-dr cannot stand in for prod"):
            takeover.check(settings, source, ZONE)
        assert said == []


class Server(BaseHTTPRequestHandler):
    status = 200
    headers_sent: dict[str, str] = {}  # noqa: RUF012 - replaced as a whole

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "alive"), [(200, True), (401, True), (404, True), (502, False), (503, False)]
)
def test_a_way_in_with_nothing_behind_it_is_no_answer(
    url: str, monkeypatch: pytest.MonkeyPatch, status: int, *, alive: bool
) -> None:
    monkeypatch.setattr(Server, "status", status)
    assert answer_of(url) == (f"{url} answers {status}" if alive else None)


def test_an_agent_that_misses_a_dependency_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its health is 503 then (`app/api/health.py`), and it still writes what it can."""
    monkeypatch.setattr(Server, "status", 503)
    monkeypatch.setattr(Server, "headers_sent", {correlation.HEADER: "c-1"})
    assert answer_of(url) == f"{url} answers 503"


def test_nobody_there_is_no_answer() -> None:
    with HTTPServer(("127.0.0.1", 0), Server) as closed:
        port = closed.server_port
    assert answer_of(f"http://127.0.0.1:{port}") is None


def test_the_source_is_known_without_its_state(project: Path) -> None:
    values = {key.rpartition(":")[2]: one for key, one in PROD.items()}
    plain = Source(parse(values, "prod", project), WELL_KNOWN["public"])
    assert plain.account_endpoint == "https://cosmos-agents-prod.documents.azure.com:443/"
    assert plain.listener == "fog-agents-prod.database.windows.net"
    assert (plain.database, plain.backup.names.registry) == ("AgentsDB", "acragentsprodbackup")
    restores = [{"as_of": "2026-11-28T09:59:30Z"}, {"as_of": "2026-11-28T10:00:00Z", "adopted": False}]
    restored = replace(plain, settings=parse({**values, "restores": json.dumps(restores)}, "prod", project))
    assert restored.database == "AgentsDB-20261128095930"
    assert restored.account.plain_name == "cosmos-agents-prod-20261128095930"
