"""The settings of backup worker and restore: environment variables, nested by `__`, as agents have theirs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

_ID = r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class VaultSettings(_Section):
    """A vault, by its URI."""

    vault_uri: HttpUrl = Field(alias="VaultUri")

    @property
    def vault(self) -> str:
        """The vault's name, with which the names of its secrets' copies begin."""
        return (self.vault_uri.host or "").partition(".")[0]


class SourceSettings(VaultSettings):
    """`Source__…`: what is copied, and what Azure backs up itself.

    Of the former the vault and the blob endpoint of dead letters; of the latter the resource ids, and the
    region that is asked about.
    """

    dead_letters: HttpUrl = Field(alias="DeadLetters")
    cosmos_id: str = Field(alias="CosmosId", pattern=_ID)
    sql_id: str = Field(alias="SqlId", pattern=_ID)
    location: str = Field(alias="Location")
    cosmos_database: str = Field(alias="CosmosDatabase", default="AgentsDB")
    cosmos_container: str = Field(alias="CosmosContainer", default="Events")
    # No default: after a restore agents use another one, and the old one's backups would look like theirs.
    sql_database: str = Field(alias="SqlDatabase")


class TargetSettings(VaultSettings):
    """`Target__…`: the vault that secrets are brought into; those in `kept`, a JSON list, are left alone."""

    kept: frozenset[str] = Field(alias="Kept", default=frozenset())


class SecretCopySettings(_Section):
    """`Copies__…`: the blob endpoint of the copies, and the key that wraps their data keys."""

    endpoint: HttpUrl = Field(alias="Endpoint")
    key: HttpUrl = Field(alias="Key")
    secrets: str = Field(alias="Secrets", default="secrets")


class CopySettings(SecretCopySettings):
    """Also the container of dead letters."""

    dead_letters: str = Field(alias="DeadLetters", default="dead-letters")


class ResourceManagerSettings(_Section):
    endpoint: HttpUrl = Field(alias="Endpoint")


class BackupSettings(BaseSettings):
    """Read once at start; a missing or malformed variable ends the process with its name."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    source: SourceSettings = Field(alias="Source")
    copies: CopySettings = Field(alias="Copies")
    resource_manager: ResourceManagerSettings = Field(alias="ResourceManager")
    interval_seconds: float = Field(alias="INTERVAL_SECONDS", gt=0, le=3600)
    port: int = Field(alias="PORT", default=9090)


class RestoreSettings(BaseSettings):
    """What `app.backup.restore` is told: the vault that was copied, its copies, and the vault to fill."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    source: VaultSettings = Field(alias="Source")
    copies: SecretCopySettings = Field(alias="Copies")
    target: TargetSettings = Field(alias="Target")


def read() -> BackupSettings:
    """The settings of this process. Raises pydantic's ValidationError."""
    # pydantic-settings fills every field from the environment, which a type checker cannot see.
    return BackupSettings()  # type: ignore[call-arg]
