"""Who is signed in, and whether the subscription takes anything."""

from __future__ import annotations

from collections.abc import Iterator

from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject

# Neither Azure OpenAI nor tasks of a registry, which build the image, are to be had there.
_WITHOUT = ("FreeTrial", "AzureForStudents")
_HELP = "https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-disabled"
_UPGRADE = "https://learn.microsoft.com/azure/cost-management-billing/manage/upgrade-azure-subscription"


def subscription(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/resources/subscriptions/get"""
    shown = subject.arm.read(subject.subscription, "2022-12-01")
    named = f"{subject.account.title} ({subject.account.subscription})"
    offer = str((shown.get("subscriptionPolicies") or {}).get("quotaId", ""))
    if shown["state"] != "Enabled":
        yield missing("subscription", f"{named} is {shown['state']}, not Enabled", f"reactivate it: {_HELP}")
    elif offer.startswith(_WITHOUT):
        yield missing("subscription", f"{named} is of the free offer {offer}", f"upgrade it: {_UPGRADE}")
    else:
        yield ok("subscription", f"{named} is enabled")


def identity(subject: Subject) -> Iterator[Finding]:
    """The program may sign in by ARM_CLIENT_ID, its commands and kubectl always by the CLI: one identity."""
    account, acts_as = subject.account, subject.acts_as
    if acts_as is None or acts_as.lower() == account.user.lower():
        yield ok("identity", f"signed in as {account.user}")
        return
    yield missing(
        "identity",
        f"the CLI is signed in as {account.user}, but the program would act as {acts_as} (ARM_CLIENT_ID)",
        f"az login --service-principal --username {acts_as} --tenant {account.tenant}",
    )
