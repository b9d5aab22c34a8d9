"""Azure DNS: public zones and record sets; A records under the sandbox's suffix resolve."""

from __future__ import annotations

from sandbox.azure.dns.record_sets import RECORD_HANDLERS
from sandbox.azure.dns.zones import ZoneHandler

HANDLERS = (ZoneHandler, *RECORD_HANDLERS)
