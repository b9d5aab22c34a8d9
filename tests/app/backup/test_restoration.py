"""Which version of which secret comes back, what is left alone, and what is left of a run that was killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backup import restore
from app.backup.container import Listed
from app.backup.format import Name, Secret, seal
from app.backup.restoration import Outcome, Restoration
from tests.app.backup.keys import LocalKey

#: Seconds since the epoch: when versions were made, and when they are restored.
THEN, NOW = 1_800_000_000, 1_800_086_400
FULL: dict[str, Any] = {
    "content_type": "url",
    "tags": {"owner": "ops"},
    "not_before": THEN - 60,
    "expires": THEN + 10**7,
}


def version(secret: str, value: str, created: int = THEN, *, number: int = 1, **attributes: Any) -> Secret:
    return Secret(Name("kv-agents-prod", secret, f"{number:032x}"), value, created, **attributes)


class Container:
    """Copies; `modified` is when each was written, by its number."""

    def __init__(self, *secrets: Secret) -> None:
        self.blobs = {str(one.name): asyncio.run(seal(one, LocalKey())) for one in secrets}
        self.metadata = {str(one.name): {"created": str(one.created)} for one in secrets}
        self.modified = {str(one.name): number for number, one in enumerate(secrets)}

    async def listed(self, prefix: str) -> list[Listed]:
        return [
            Listed(name, self.metadata[name], datetime.fromtimestamp(THEN + self.modified[name], UTC))
            for name in self.blobs
            if name.startswith(prefix)
        ]

    async def read(self, name: str) -> bytes:
        return self.blobs[name]


@dataclass(frozen=True)
class Held:
    value: str
    created: int
    attributes: Mapping[str, Any]


class Vault:
    """A vault at `NOW`; after `lasts` operations whoever uses it is ended. `refused`: an error by name."""

    def __init__(self, secrets: Mapping[str, Held] | None = None, lasts: int = 10_000) -> None:
        self.secrets, self.lasts = dict(secrets or {}), lasts
        self.refused: dict[tuple[str, str], HttpResponseError] = {}
        self.written: list[str] = []

    async def get_secret(self, name: str) -> Any:
        self._used("get", name)
        if name not in self.secrets:
            raise ResourceNotFoundError("SecretNotFound")
        held = self.secrets[name]
        made = datetime.fromtimestamp(held.created, UTC)
        return SimpleNamespace(value=held.value, properties=SimpleNamespace(created_on=made))

    async def set_secret(self, name: str, value: str, **attributes: Any) -> None:
        self._used("set", name)
        self.written.append(name)
        self.secrets[name] = Held(value, NOW, attributes)

    def _used(self, operation: str, name: str) -> None:
        self.lasts -= 1
        if self.lasts < 0:
            raise asyncio.CancelledError
        if (operation, name) in self.refused:
            raise self.refused[operation, name]


def restored(copies: Container, vault: Vault, kept: Collection[str] = ()) -> dict[str, Outcome]:
    made = Restoration("kv-agents-prod", copies, LocalKey(), vault, kept)  # type: ignore[arg-type]
    return asyncio.run(made.run())


def refusal(status: int, message: str) -> HttpResponseError:
    error = HttpResponseError(message)
    error.status_code = status
    return error


def test_the_newest_version_comes_back_with_its_attributes() -> None:
    vault = Vault()
    copies = Container(
        version("url", "new", THEN + 1, number=1, **FULL), version("url", "old", THEN, number=2)
    )
    assert restored(copies, vault) == {"url": Outcome.WRITTEN}
    assert vault.secrets["url"].value == "new"
    assert vault.secrets["url"].attributes == {
        "enabled": True,
        "tags": {"owner": "ops"},
        "content_type": "url",
        "not_before": datetime.fromtimestamp(THEN - 60, UTC),
        "expires_on": datetime.fromtimestamp(THEN + 10**7, UTC),
    }


def test_of_versions_of_one_second_it_is_the_one_that_was_copied_last() -> None:
    vault = Vault()
    restored(Container(version("url", "first", number=2), version("url", "second", number=1)), vault)
    assert vault.secrets["url"].value == "second"


def test_secrets_of_other_vaults_stay_where_they_are() -> None:
    other = version("url", "theirs")
    vault = Vault()
    other = replace(other, name=replace(other.name, vault="kv-agents-prod-backup"))
    assert restored(Container(other), vault) == {}
    assert vault.secrets == {}


@pytest.mark.parametrize(
    ("there", "outcome", "left"),
    [
        (Held("copied", THEN - 1, {}), Outcome.EQUAL, "copied"),
        (Held("other", THEN - 1, {}), Outcome.WRITTEN, "copied"),
        (Held("other", THEN + 1, {}), Outcome.NEWER, "other"),
    ],
    ids=["the same", "an older one", "a later one"],
)
def test_what_the_vault_has_already(there: Held, outcome: Outcome, left: str) -> None:
    vault = Vault({"url": there})
    assert restored(Container(version("url", "copied")), vault) == {"url": outcome}
    assert vault.secrets["url"].value == left
    assert vault.written == (["url"] if outcome is Outcome.WRITTEN else [])


def test_what_the_stack_sets_is_left_alone_and_its_copy_not_opened() -> None:
    vault, copies = Vault({"url": Held("the stack's", THEN - 1, {})}), Container(version("url", "copied"))
    copies.blobs = dict.fromkeys(copies.blobs, b"damaged")
    assert restored(copies, vault, kept={"url"}) == {"url": Outcome.KEPT}
    assert vault.secrets["url"].value == "the stack's"


@pytest.mark.parametrize(
    ("operation", "error", "outcome"),
    [
        ("get", refusal(403, "Operation get is not allowed on a disabled secret."), Outcome.DISABLED),
        ("set", refusal(409, "Secret url is currently in a deleted but recoverable state"), Outcome.DELETED),
        ("get", refusal(403, "Caller is not authorized"), Outcome.FAILED),
        ("set", refusal(409, "The secret is being changed"), Outcome.FAILED),
    ],
    ids=["disabled", "deleted", "no right", "a conflict"],
)
def test_what_the_vault_refuses_keeps_no_other_secret_from_it(
    operation: str, error: HttpResponseError, outcome: Outcome
) -> None:
    vault = Vault()
    vault.refused[operation, "url"] = error
    found = restored(Container(version("url", "a"), version("webhook", "b")), vault)
    assert found == {"url": outcome, "webhook": Outcome.WRITTEN}
    assert vault.secrets.keys() == {"webhook"}


def _damaged(copies: Container, name: str) -> None:
    content = bytearray(copies.blobs[name])
    content[-30] ^= 1
    copies.blobs[name] = bytes(content)


def _swapped(copies: Container, name: str) -> None:
    """Another secret's copy in its place."""
    (other,) = (one for one in copies.blobs if "/webhook/" in one)
    copies.blobs[name] = copies.blobs[other]


def _twin(copies: Container, name: str) -> None:
    """Another version, made and copied in the same seconds."""
    (old,) = (one for one in copies.blobs if "/url/" in one and one != name)
    copies.metadata[old], copies.modified[old] = copies.metadata[name], copies.modified[name]


def _dated(copies: Container, name: str) -> None:
    """The old version, made to look like the newest."""
    (old,) = (one for one in copies.blobs if "/url/" in one and one != name)
    copies.metadata[old] = {"created": str(THEN + 100)}


def _undated(copies: Container, name: str) -> None:
    copies.metadata[name] = {}


@pytest.mark.parametrize("spoil", [_damaged, _swapped, _twin, _dated, _undated], ids=lambda one: one.__name__)
def test_a_copy_that_is_no_good_is_named_and_no_older_one_taken_for_it(
    spoil: Any, caplog: pytest.LogCaptureFixture
) -> None:
    newest = version("url", "canary-new", THEN + 1, number=1)
    copies = Container(newest, version("url", "canary-old", number=2), version("webhook", "canary-other"))
    spoil(copies, str(newest.name))
    vault = Vault()
    with caplog.at_level(logging.INFO):
        assert restored(copies, vault) == {"url": Outcome.FAILED, "webhook": Outcome.WRITTEN}
    assert vault.secrets.keys() == {"webhook"}
    (said,) = (record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)
    assert "kv-agents-prod/url/" in said
    assert "canary" not in caplog.text


def test_a_blob_that_is_no_copy_is_named() -> None:
    vault, copies = Vault(), Container(version("url", "a"))
    copies.blobs["kv-agents-prod/readme"] = b""
    copies.metadata["kv-agents-prod/readme"], copies.modified["kv-agents-prod/readme"] = {}, 0
    assert restored(copies, vault) == {"kv-agents-prod/readme": Outcome.FAILED, "url": Outcome.WRITTEN}


@settings(max_examples=30)
@given(
    values=st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=5), max_size=6),
    kills=st.lists(st.integers(0, 12), max_size=4),
)
def test_however_often_it_is_killed_the_vault_becomes_complete(
    values: dict[str, str], kills: list[int]
) -> None:
    copies, vault = Container(*(version(name, value) for name, value in values.items())), Vault()
    for lasts in kills:
        vault.lasts = lasts
        try:
            restored(copies, vault)
        except asyncio.CancelledError:
            assert {name: held.value for name, held in vault.secrets.items()}.items() <= values.items()
    vault.lasts = 10_000
    restored(copies, vault)
    assert {name: held.value for name, held in vault.secrets.items()} == values
    assert sorted(vault.written) == sorted(values)
    assert set(restored(copies, vault).values()) <= {Outcome.EQUAL}


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--dry-run"], 2)], ids=["help", "unknown"]
)
def test_who_asks_for_help_sets_nothing_going(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pod all its settings are there."""
    for name in ("Source__VaultUri", "Copies__Endpoint", "Copies__Key", "Target__VaultUri"):
        monkeypatch.setenv(name, "https://kv.azure.test/keys/copies")
    monkeypatch.setattr(restore, "_main", lambda _: pytest.fail("it began"))
    with pytest.raises(SystemExit) as ended:
        restore.main(arguments)
    assert ended.value.code == code
