"""What the models neither take nor give: the content filter of an Azure OpenAI account's deployments."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import cognitiveservices
from pulumi_azure_native.cognitiveservices import ContentLevel, RaiPolicyContentSource

from infra.azure.place import Place

NAME = "agents"
_PROMPT, _COMPLETION = RaiPolicyContentSource.PROMPT, RaiPolicyContentSource.COMPLETION
# Graded, and the same in both directions.
_HARMS = ("Hate", "Selfharm", "Sexual", "Violence")
# Found or not found. Agents act on what they read: an order hidden in a ticket or a mail is an attack too.
_ATTACKS = ("Jailbreak", "Indirect Attack")
_PROTECTED = ("Protected Material Text", "Protected Material Code")


def content_filter(
    name: str, account: cognitiveservices.Account, place: Place, opts: pulumi.ResourceOptions
) -> cognitiveservices.RaiPolicy:
    """Block harms from medium severity on, attacks on the prompt, and protected material in answers.

    https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
    """
    graded = [
        _filter(harm, source, ContentLevel.MEDIUM) for source in (_PROMPT, _COMPLETION) for harm in _HARMS
    ]
    return cognitiveservices.RaiPolicy(
        name,
        rai_policy_name=NAME,
        account_name=account.name,
        resource_group_name=place.resource_group,
        properties=cognitiveservices.RaiPolicyPropertiesArgs(
            base_policy_name="Microsoft.DefaultV2",
            mode=cognitiveservices.RaiPolicyMode.BLOCKING,
            content_filters=[
                *graded,
                *(_filter(attack, _PROMPT) for attack in _ATTACKS),
                *(_filter(material, _COMPLETION) for material in _PROTECTED),
            ],
        ),
        opts=opts,
    )


def _filter(
    name: str, source: RaiPolicyContentSource, severity: ContentLevel | None = None
) -> cognitiveservices.RaiPolicyContentFilterArgs:
    return cognitiveservices.RaiPolicyContentFilterArgs(
        name=name, source=source, severity_threshold=severity, blocking=True, enabled=True
    )
