from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.naming import Names, assignment


def test_the_names_are_the_contract() -> None:
    names = Names("dev")
    assert (names.resource_group, names.cluster, names.registry) == (
        "rg-agents-dev",
        "aks-agents-dev",
        "acragentsdev",
    )
    assert (names.cosmos, names.vault, names.openai) == (
        "cosmos-agents-dev",
        "kv-agents-dev",
        "oai-agents-dev",
    )
    assert (names.sql, names.topic, names.openai_backup) == (
        "sql-agents-dev",
        "topic-agents-dev",
        "oai-agents-dev-backup",
    )
    assert (names.namespace, names.host("azure.test")) == ("agents-dev", "agents-dev.azure.test")


@given(st.from_regex(r"[a-z][a-z0-9]{1,7}", fullmatch=True), st.from_regex(r"[a-z0-9]{0,5}", fullmatch=True))
def test_every_allowed_environment_gives_names_azure_accepts(environment: str, suffix: str) -> None:
    names = Names(environment, suffix)
    assert len(names.vault) <= 24
    assert names.registry.isalnum()
    assert 5 <= len(names.registry) <= 50
    assert names.storage.isalnum()
    assert 3 <= len(names.storage) <= 24
    assert len(names.sql_backup) <= 63
    assert len(names.topic) <= 50
    assert len(names.grafana) <= 23
    assert len(names.collection_rule("metrics")) <= 64
    assert len(names.node_resource_group) <= 80


@given(st.uuids(), st.uuids(), st.text(min_size=1))
def test_an_assignment_name_depends_on_principal_role_and_scope(a: object, b: object, scope: str) -> None:
    name = assignment(str(a), "role", scope)
    assert name == assignment(str(a).upper(), "role", scope)
    assert name != assignment(str(b), "role", scope) or a == b
    assert name != assignment(str(a), "other", scope)
