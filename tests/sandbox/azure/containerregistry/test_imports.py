"""Images that one registry fetches from another."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.operation import Answer, OperationCall
from sandbox.azure.containerregistry.registries import RegistryHandler
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.sandbox.azure.conftest import GROUP
from tests.sandbox.azure.containerregistry.client import RegistryClient, digest
from tests.sandbox.azure.containerregistry.conftest import HOST, Registries

TARGET = "acragentsbackup"
SOURCE_ID = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acragentsdev"
INDEX = "application/vnd.oci.image.index.v1+json"


class Importer:
    def __init__(self, registries: Registries) -> None:
        self._registries = registries
        ca = registries.world.services.config.ca_certificate
        self.source = RegistryClient(HOST, ca, "who")
        self.target = RegistryClient(f"{TARGET}.azurecr.azure.test", ca, "who")

    def run(self, who: str = "who", **changes: Any) -> Answer:
        """As ARM runs it, the right to `importImage` on the target checked."""
        [operation] = [
            one
            for one in RegistryHandler(self._registries.world.services).operations()
            if one.path.endswith("/importImage")
        ]
        assert operation.long_running
        body = {
            "source": {"resourceId": SOURCE_ID, "sourceImage": "team/app:1"},
            "targetTags": ["team/app:1"],
            "mode": "NoForce",
            **changes,
        }
        given = {"subscription": SUBSCRIPTION_ID, "group": "rg", "registry": TARGET}
        principal = Principal(who, f"app-{who}", TENANT_ID, "arm", {})
        call = OperationCall(given, {}, body, principal, "2023-07-01")
        return self._registries.server.call(operation.run(call))  # type: ignore[arg-type]


@pytest.fixture
def importer(registries: Registries) -> Importer:
    registries.put()
    registries.put(TARGET)
    registries.grant("who", "pull/read", "push/write")
    return Importer(registries)


def test_an_image_is_copied_with_all_its_layers(importer: Importer) -> None:
    layer = os.urandom(3_000_000)
    pushed = importer.source.push("team/app:1", layer).headers["docker-content-digest"]
    assert importer.run().status == 200
    manifest = importer.target.request("GET", "/v2/team/app/manifests/1")
    assert manifest.headers["docker-content-digest"] == pushed
    assert importer.target.request("GET", f"/v2/team/app/blobs/{digest(layer)}").content == layer
    config = manifest.json()["config"]["digest"]
    assert importer.target.request("GET", f"/v2/team/app/blobs/{config}").status_code == 200


def test_it_can_get_other_names(importer: Importer) -> None:
    importer.source.push("team/app:1")
    importer.run(targetTags=["copies/app:1", "copies/app:latest"])
    tags = importer.target.request("GET", "/v2/copies/app/tags/list").json()["tags"]
    assert sorted(tags) == ["1", "latest"]


def test_an_index_comes_with_the_images_that_it_lists(importer: Importer) -> None:
    inner = importer.source.push("team/app:one")
    manifest = importer.source.request("GET", "/v2/team/app/manifests/one")
    entry = {
        "mediaType": manifest.headers["content-type"],
        "digest": inner.headers["docker-content-digest"],
        "size": len(manifest.content),
    }
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    put = importer.source.request(
        "PUT", "/v2/team/app/manifests/1", content=index, headers={"Content-Type": INDEX}
    )
    assert put.status_code == 201, put.text
    importer.run()
    got = importer.target.request("GET", "/v2/team/app/manifests/1", headers={"Accept": INDEX})
    assert got.content == index
    assert importer.target.request("GET", f"/v2/team/app/manifests/{entry['digest']}").status_code == 200


def test_what_is_there_is_overwritten_only_by_force(importer: Importer) -> None:
    importer.source.push("team/app:1")
    importer.run()
    again = importer.source.push("team/app:1", os.urandom(10)).headers["docker-content-digest"]
    with pytest.raises(ArmError) as refused:
        importer.run()
    assert (refused.value.status, refused.value.code) == (409, "Conflict")
    importer.run(mode="Force")
    importer.run(mode="Force")
    got = importer.target.request("GET", "/v2/team/app/manifests/1")
    assert got.headers["docker-content-digest"] == again


def test_who_may_not_pull_may_not_import(importer: Importer) -> None:
    importer.source.push("team/app:1")
    with pytest.raises(ArmError) as refused:
        importer.run(who="stranger")
    assert (refused.value.status, refused.value.code) == (403, "AuthorizationFailed")
    assert importer.target.request("GET", "/v2/team/app/manifests/1").status_code == 404


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ({"resourceId": SOURCE_ID, "sourceImage": "team/app:none"}, 404, "ManifestNotFound"),
        ({"resourceId": f"{SOURCE_ID}2", "sourceImage": "team/app:1"}, 404, "ResourceNotFound"),
        ({"resourceId": SOURCE_ID, "sourceImage": "Team/App"}, 400, "InvalidImageName"),
        ({"sourceImage": "library/hello-world", "registryUri": "docker.io"}, 400, "InvalidParameters"),
    ],
    ids=["no image", "no registry", "no name", "elsewhere"],
)
def test_what_cannot_be_imported_is_refused(
    importer: Importer, source: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(ArmError) as refused:
        importer.run(source=source)
    assert (refused.value.status, refused.value.code) == (status, code)
