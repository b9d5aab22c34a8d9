"""`Microsoft.Insights/webtests`: availability tests of a component."""

from __future__ import annotations

import copy
from urllib.parse import urlsplit

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.azure.insights.components import TYPE as COMPONENT_TYPE

_LINK = "hidden-link:"
_FREQUENCIES = (300, 600, 900)
_TIMEOUTS = (30, 60, 90, 120)


class WebTestHandler(Handler):
    type = "Microsoft.Insights/webtests"
    created_status = 200

    async def check(self, put: Put) -> None:
        links = [name for name in put.body.get("tags") or {} if name.lower().startswith(_LINK)]
        if len(links) != 1:
            raise bad_request(
                "BadRequest",
                "A single 'hidden-link' tag pointing to an existing AI component is required. Found "
                f"{len(links) or 'none'}.",
                "tags",
            )
        checks.require(self.services.store, links[0][len(_LINK) :], "tags", COMPONENT_TYPE)
        properties = put.body["properties"]
        if properties["SyntheticMonitorId"] != put.id.name:
            raise _invalid("'SyntheticMonitorId' must be the test's name.", "SyntheticMonitorId")
        for name, allowed in (("Frequency", _FREQUENCIES), ("Timeout", _TIMEOUTS)):
            if properties.get(name) is not None:
                checks.one_of(properties[name], allowed, f"properties.{name}")
        if not properties["Locations"]:
            raise _invalid("A test runs from at least one location.", "Locations")
        if properties["Kind"] == "standard":
            url = urlsplit((properties.get("Request") or {}).get("RequestUrl") or "")
            if url.scheme not in ("http", "https") or not url.hostname:
                raise _invalid("A standard test asks for an http or https URL.", "Request.RequestUrl")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        body.setdefault("kind", properties["Kind"])
        for name, value in (("Enabled", False), ("Frequency", 300), ("Timeout", 30), ("RetryEnabled", False)):
            properties.setdefault(name, value)
        if properties["Kind"] == "standard":
            request = properties["Request"]
            request.setdefault("HttpVerb", "GET")
            request.setdefault("FollowRedirects", True)
            request.setdefault("ParseDependentRequests", True)
            rules = properties.setdefault("ValidationRules", {})
            rules.setdefault("ExpectedHttpStatusCode", 200)
            rules.setdefault("IgnoreHttpStatusCode", False)
            rules.setdefault("SSLCheck", False)
        return body


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("BadRequest", message, f"properties.{path}")
