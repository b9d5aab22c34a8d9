"""The delivery record of a message: where it goes, in which format, and that its channel can carry it.

Limits: a concatenated SMS of three parts (3GPP TS 23.040: 153 GSM 7-bit characters or 67 UCS-2 units in each,
160 or 70 if there is only one); 4,000 characters of text that Slack recommends at most
(https://api.slack.com/methods/chat.postMessage#truncating); 28 KB of a Teams message
(https://learn.microsoft.com/microsoftteams/limits-specifications-teams).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

# 3GPP TS 23.038, the default alphabet; those of the extension table take two places.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€")
_SMS_PARTS = 3
_SLACK_CHARACTERS = 4_000
_TEAMS_BYTES = 28_000
_CUT = "..."
_FORMATS = {"email": "text/plain", "sms": "text/plain", "teams": "text/markdown", "slack": "text/x-mrkdwn"}


class Delivery(BaseModel):
    """Adds `delivery`, and cuts a `body` that its channel would refuse (`shortened` says so)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["delivery"]

    def apply(self, value: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
        channel, body = value["channel"], output["body"]
        fitting = _fitted(channel, body)
        record: dict[str, Any] = {
            "status": "prepared",
            "channel": channel,
            "recipient": value["recipient"],
            "format": _FORMATS[channel],
            "characters": len(fitting),
            "shortened": fitting != body,
        }
        if channel == "sms":
            record["parts"] = sms_parts(fitting)
        subject = "" if channel == "sms" else " ".join(output["subject"].split())
        return {**output, "subject": subject, "body": fitting, "delivery": record}


def sms_parts(text: str) -> int:
    """How many messages an SMS is sent, and paid, as."""
    size, single, joined = _sms_size(text)
    return 1 if size <= single else -(-size // joined)


def _sms_size(text: str) -> tuple[int, int, int]:
    """Places taken, places in a single message, places in each of several."""
    if set(text) <= _GSM | _GSM_EXTENDED:
        return len(text) + sum(letter in _GSM_EXTENDED for letter in text), 160, 153
    return len(text.encode("utf-16-le")) // 2, 70, 67


def _fits(channel: str, text: str) -> bool:
    if channel == "sms":
        return sms_parts(text) <= _SMS_PARTS
    if channel == "slack":
        return len(text) <= _SLACK_CHARACTERS
    if channel == "teams":
        return len(text.encode()) <= _TEAMS_BYTES
    return True


def _fitted(channel: str, text: str) -> str:
    """The longest beginning that fits, found by halving: parts and bytes grow with the text."""
    if _fits(channel, text):
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if _fits(channel, text[:middle].rstrip() + _CUT):
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + _CUT
