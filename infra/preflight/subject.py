"""What every check is handed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.preflight.arm import Arm
from infra.preflight.az import Account
from infra.preflight.data import Data
from infra.preflight.report import Finding
from infra.preflight.stack import Stack


@dataclass(frozen=True)
class Subject:
    """`acts_as`: the application that the program signs in as, None where it uses the CLI's session.

    `domain`: that of a cloud which is not one of Microsoft's, where agents answer by default.
    """

    stack: Stack
    arm: Arm
    account: Account
    data: Data
    acts_as: str | None = None
    domain: str | None = None

    @property
    def subscription(self) -> str:
        """Its id."""
        return f"/subscriptions/{self.account.subscription}"

    @property
    def group(self) -> str:
        """The id of the stack's resource group, whether or not it is there."""
        return f"{self.subscription}/resourceGroups/{self.stack.names.resource_group}"

    def located(self, namespace: str, region: str) -> str:
        return f"{self.subscription}/providers/{namespace}/locations/{region}"


#: Looks at one thing. Raises AskError where it cannot.
Check = Callable[[Subject], Iterable[Finding]]
