"""Who may call an agent, with how much and how often, as the application is told it."""

from __future__ import annotations

from dataclasses import dataclass

from infra.settings import Settings
from infra.settings.sections import AuthenticationSettings, HttpSettings


@dataclass(frozen=True)
class Access:
    """`environment` is whose callers are served, for a stamp its source's: only in dev they need no token."""

    environment: str
    authentication: AuthenticationSettings | None
    http: HttpSettings

    @classmethod
    def of(cls, settings: Settings) -> Access:
        return cls(settings.source or settings.environment, settings.authentication, settings.http)

    def variables(self) -> dict[str, str]:
        found = {"ENVIRONMENT": self.environment, "Http__MaxBodyBytes": str(self.http.max_body_bytes)}
        if self.http.rate is not None:
            found["Http__Rate"] = self.http.rate
        if self.authentication is None:
            return {**found, "Authentication__Enabled": "false"}
        return {
            **found,
            "Authentication__TenantId": self.authentication.tenant,
            "Authentication__Audience": self.authentication.audience,
        }
