"""`agents:backup`: how a backup stack copies, how long copies cannot be changed, and who is told."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.settings.sections import Section

#: A copy that is older than an hour is alerted on; in that time three passes have to fit.
_LONGEST_INTERVAL = 20


class BackupSettings(Section):
    """Every `interval_minutes` what is new is copied, and the newest copies are compared with the originals.

    A copy can be neither changed nor deleted for `immutable_days`. Dead letters are deleted after
    `retention_days`, as are the daily backups in the backup vault; copies of secrets and of the Pulumi state
    are kept, because the newest may be old. What is deleted of the backups all the same can be had back for
    `soft_delete_days`. `channels` are those of the source that are told when copies fail.
    """

    interval_minutes: Annotated[int, Field(ge=1, le=_LONGEST_INTERVAL)] = 15
    immutable_days: Annotated[int, Field(ge=1, le=365)] = 30
    # What Azure Backup takes for daily backups of blobs.
    # https://learn.microsoft.com/azure/backup/blob-backup-configure-manage
    retention_days: Annotated[int, Field(ge=7, le=360)] = 35
    # https://learn.microsoft.com/azure/backup/backup-azure-enhanced-soft-delete-about
    soft_delete_days: Annotated[int, Field(ge=14, le=180)] = 14
    channels: tuple[Literal["pagerduty", "teams", "email"], ...] = ("email",)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.retention_days < self.immutable_days:
            raise ValueError(
                f"retention_days ({self.retention_days}) is less than immutable_days "
                f"({self.immutable_days}): what cannot be deleted yet would be due for deletion"
            )
        return self
