"""Microsoft.Resources: groups, and tags at any scope."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import GROUP_TYPE, parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource

_TAGS = "/{+scope}/providers/Microsoft.Resources/tags/default"
_MOST_TAGS = 50


class ResourceGroupHandler(Handler):
    type = GROUP_TYPE
    long_running_delete = True

    async def check(self, put: Put) -> None:
        if "location" not in put.body:
            raise bad_request(
                "LocationRequired", "The location property is required for this definition.", "location"
            )


class TagsHandler(Handler):
    """The tags of a subscription, group or resource, as a resource of their own."""

    type = "Microsoft.Resources/tags"

    def operations(self) -> Sequence[Operation]:
        read, write = "Microsoft.Resources/tags/read", "Microsoft.Resources/tags/write"
        return (
            Operation("GET", _TAGS, read, self._get),
            Operation("PUT", _TAGS, write, self._put),
            Operation("PATCH", _TAGS, write, self._patch),
            Operation("DELETE", _TAGS, "Microsoft.Resources/tags/delete", self._delete),
        )

    async def _get(self, call: OperationCall) -> Answer:
        return self._answer(self._tagged(call))

    async def _put(self, call: OperationCall) -> Answer:
        return self._save(self._tagged(call), _tags(call))

    async def _patch(self, call: OperationCall) -> Answer:
        resource, sent = self._tagged(call), _tags(call)
        kept = dict(resource.body.get("tags") or {})
        match str(call.body.get("operation", "")).lower():
            case "merge":
                return self._save(resource, {**kept, **sent})
            case "replace":
                return self._save(resource, sent)
            case "delete":
                return self._save(resource, {name: value for name, value in kept.items() if name not in sent})
        raise bad_request(
            "InvalidTagsPatchOperation", "'operation' must be Merge, Replace or Delete.", "operation"
        )

    async def _delete(self, call: OperationCall) -> Answer:
        self._save(self._tagged(call), {})
        return Answer(200)

    def _tagged(self, call: OperationCall) -> Resource:
        id = parse_id(call.parameters["scope"])  # noqa: A001
        resource = self.services.store.get(id)
        if resource is None:
            raise missing(id)
        return resource

    def _save(self, resource: Resource, tags: Body) -> Answer:
        if len(tags) > _MOST_TAGS:
            raise bad_request("TagsLimitExceeded", f"A resource can have {_MOST_TAGS} tags, not {len(tags)}.")
        resource.body["tags"] = tags
        self.services.store.save(resource)
        return self._answer(resource)

    def _answer(self, resource: Resource) -> Answer:
        body = {
            "id": f"{resource.id.text}/providers/{self.type}/default",
            "name": "default",
            "type": self.type,
            "properties": {"tags": resource.body.get("tags") or {}},
        }
        return Answer(body=body)


def _tags(call: OperationCall) -> Body:
    properties = call.body.get("properties")
    tags = properties.get("tags") if isinstance(properties, dict) else None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise bad_request(
            "InvalidRequestContent", "'properties.tags' must be an object of strings.", "properties.tags"
        )
    return dict(tags)


HANDLERS = (ResourceGroupHandler, TagsHandler)
