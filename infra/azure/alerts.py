"""Who is told when something is wrong: one action group per channel."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor
from pydantic import SecretStr

from infra.azure.activity_alerts import ActivityAlerts, ActivityAlertsArgs
from infra.azure.place import Place
from infra.observability.alerts import Channel
from infra.settings.sections import AlertSettings


@dataclass(frozen=True)
class AlertsArgs:
    """`resource_group_id` is what is watched for deletions and changes of who may do what."""

    place: Place
    settings: AlertSettings
    resource_group_id: pulumi.Input[str]


class Alerts(pulumi.ComponentResource):
    """`channels` holds the action group of each channel that somebody listens to.

    An alert names the channels it goes to, as the runbook's do, so none is told twice. Alerts on metrics and
    logs bring their own rules; those on what is done to the environment are made here.
    """

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Alerts", name, None, opts)
        self._args = args
        settings = args.settings
        self.channels: dict[Channel, pulumi.Output[str]] = {}
        if settings.pagerduty:
            self.channels[Channel.PAGE] = self._webhook(Channel.PAGE, settings.pagerduty)
        if settings.teams:
            self.channels[Channel.CHAT] = self._webhook(Channel.CHAT, settings.teams)
        if settings.emails:
            self.channels[Channel.MAIL] = self._mail(settings.emails)
        ActivityAlerts(
            "activity",
            ActivityAlertsArgs(args.place, args.resource_group_id, self.critical, self.warning),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    @property
    def critical(self) -> list[pulumi.Output[str]]:
        """Action groups of what cannot wait: everyone."""
        return list(self.channels.values())

    @property
    def warning(self) -> list[pulumi.Output[str]]:
        """Action groups of what can wait until somebody is at work: everyone whom it does not wake."""
        return [group for channel, group in self.channels.items() if channel is not Channel.PAGE]

    def _webhook(self, channel: Channel, url: SecretStr) -> pulumi.Output[str]:
        receiver = monitor.WebhookReceiverArgs(
            name=channel.value,
            service_uri=pulumi.Output.secret(url.get_secret_value()),
            use_common_alert_schema=True,
        )
        return self._group(channel, webhooks=[receiver])

    def _mail(self, addresses: list[str]) -> pulumi.Output[str]:
        receivers = [
            monitor.MicrosoftCommonEmailReceiverArgs(
                name=f"{number}-{address}", email_address=address, use_common_alert_schema=True
            )
            for number, address in enumerate(addresses)
        ]
        return self._group(Channel.MAIL, emails=receivers)

    def _group(
        self,
        channel: Channel,
        webhooks: list[monitor.WebhookReceiverArgs] | None = None,
        emails: list[monitor.MicrosoftCommonEmailReceiverArgs] | None = None,
    ) -> pulumi.Output[str]:
        place = self._args.place
        group = monitor.ActionGroup(
            channel.value,
            action_group_name=f"ag-{channel.value}",
            # What text messages begin with; at most twelve characters.
            group_short_name=channel.value,
            resource_group_name=place.resource_group,
            location="Global",
            enabled=True,
            webhook_receivers=webhooks,
            email_receivers=emails,
            tags=place.tags,
            # The addresses carry keys, and Azure answers them.
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["webhookReceivers"]),
        )
        return group.id
