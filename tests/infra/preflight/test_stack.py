"""Settings files, read without the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.preflight.stack import StackError, read
from infra.settings import SettingsError

PLAIN = """\
config:
  azure-native:location: westeurope
  azure-native:subscriptionId: "0001"
  agents:version: 1.0.0
  agents:agents: {notification: {}}
"""


def write(folder: Path, text: str, name: str = "dev") -> None:
    (folder / f"Pulumi.{name}.yaml").write_text(text)


def test_what_a_file_says(tmp_path: Path) -> None:
    write(tmp_path, PLAIN + "secretsprovider: azurekeyvault://vault/keys/one\n")
    stack = read(tmp_path, "dev")
    assert (stack.settings.environment, stack.settings.location) == ("dev", "westeurope")
    assert (stack.subscription, stack.provider) == ("0001", "azurekeyvault://vault/keys/one")
    assert stack.regions == ("westeurope",)
    assert stack.names.resource_group == "rg-agents-dev"


def test_secrets_stay_sealed(tmp_path: Path) -> None:
    write(
        tmp_path, PLAIN + "  agents:alerts:\n    teams:\n      secure: v1:abc\n    emails: [a@example.com]\n"
    )
    settings = read(tmp_path, "dev").settings
    assert settings.alerts.teams is not None
    assert "abc" not in settings.alerts.teams.get_secret_value()
    assert settings.alerts.emails == ["a@example.com"]


def test_a_stack_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    with pytest.raises(StackError, match=r"no Pulumi\.prod\.yaml; the project has the stacks dev"):
        read(tmp_path, "prod")


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    write(tmp_path, "config: [")
    with pytest.raises(StackError, match="no YAML"):
        read(tmp_path, "dev")


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    write(tmp_path, PLAIN.replace("westeurope", "atlantis"))
    with pytest.raises(SettingsError, match="azure-native:location is 'atlantis'"):
        read(tmp_path, "dev")
