"""Images in and out, who may, and what is locked."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from sandbox.azure.containerregistry import admin, naming
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.dataplane import find
from tests.sandbox.azure.containerregistry.client import RegistryClient, digest
from tests.sandbox.azure.containerregistry.conftest import HOST, Registries


@pytest.fixture
def ca(registries: Registries) -> Path:
    registries.put(adminUserEnabled=True)
    registries.grant("puller", "pull/read")
    registries.grant("pusher", "pull/read", "push/write")
    registries.grant("deleter", "pull/read", "artifacts/delete")
    return registries.world.services.config.ca_certificate


def test_an_unauthenticated_client_is_told_where_to_get_a_token(ca: Path) -> None:
    answer = RegistryClient(HOST, ca).http.get("/v2/")
    assert answer.status_code == 401
    expected = f'Bearer realm="https://{HOST}/oauth2/token",service="{HOST}"'
    assert answer.headers["www-authenticate"] == expected
    scoped = RegistryClient(HOST, ca).http.get("/v2/team/app/manifests/1")
    assert scoped.headers["www-authenticate"] == f'{expected},scope="repository:team/app:pull"'


def test_what_is_pushed_is_pulled(ca: Path) -> None:
    layer = os.urandom(5_000_000)
    pushed = RegistryClient(HOST, ca, "pusher").push("team/app:1", layer)
    assert pushed.status_code == 201, pushed.text
    client = RegistryClient(HOST, ca, "puller")
    manifest = client.request("GET", "/v2/team/app/manifests/1")
    assert manifest.headers["docker-content-digest"] == pushed.headers["docker-content-digest"]
    assert client.request("GET", f"/v2/team/app/blobs/{digest(layer)}").content == layer
    head = client.request("HEAD", f"/v2/team/app/blobs/{digest(layer)}")
    assert int(head.headers["content-length"]) == len(layer)


def test_a_principal_may_do_what_its_roles_say(ca: Path) -> None:
    assert RegistryClient(HOST, ca, "puller").push("app:1").status_code == 401
    RegistryClient(HOST, ca, "pusher").push("app:1")
    pull = RegistryClient(HOST, ca, "puller")
    answer = pull.request("GET", "/v2/app/manifests/1")
    reference = answer.headers["docker-content-digest"]
    assert pull.request("DELETE", f"/v2/app/manifests/{reference}").status_code == 401
    delete = RegistryClient(HOST, ca, "deleter")
    assert delete.request("DELETE", f"/v2/app/manifests/{reference}").status_code == 202
    assert pull.request("GET", "/v2/app/manifests/1").status_code == 404


def test_a_principal_without_a_role_gets_no_token(ca: Path) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        RegistryClient(HOST, ca, "nobody")


def test_a_role_taken_away_ends_access_at_the_next_token(registries: Registries, ca: Path) -> None:
    client = RegistryClient(HOST, ca, "puller")
    assert client.request("GET", "/v2/app/manifests/1").status_code == 404
    registries.world.rbac.grants.clear()
    assert client.request("GET", "/v2/app/manifests/1").status_code == 401


def test_a_token_of_one_kind_is_not_taken_for_the_other(ca: Path) -> None:
    client = RegistryClient(HOST, ca, "puller")
    assert client.basic
    headers = {"Authorization": f"Bearer {client.basic[1]}"}
    answer = client.http.get("/v2/app/manifests/1", headers=headers)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_another_registrys_refresh_token_is_refused(registries: Registries, ca: Path) -> None:
    registries.put("acrother")
    client = RegistryClient("acrother.azurecr.azure.test", ca)
    client.basic = RegistryClient(HOST, ca, "puller").basic
    assert client.request("GET", "/v2/app/manifests/1").status_code == 401


def test_the_admin_user_works_only_while_it_is_enabled(registries: Registries, ca: Path) -> None:
    registry = find(registries.world.store, naming.TYPE, "acragentsdev")
    assert registry is not None
    folder = Folder.of(registries.world.services.config, "acragentsdev")
    known = admin.credentials(registry, folder)
    client = RegistryClient(HOST, ca)
    client.basic = (known["username"], known["passwords"][1]["value"])
    assert client.push("app:1").status_code == 201
    assert client.http.get("/v2/app/manifests/1", auth=client.basic).status_code == 200
    registries.put(adminUserEnabled=False)
    assert client.push("app:2").status_code == 401


def test_anonymous_pull_is_pull_alone(registries: Registries, ca: Path) -> None:
    RegistryClient(HOST, ca, "pusher").push("app:1")
    stranger = RegistryClient(HOST, ca)
    assert stranger.request("GET", "/v2/app/manifests/1").status_code == 401
    registry = find(registries.world.store, naming.TYPE, "acragentsdev")
    assert registry is not None
    registry.properties["anonymousPullEnabled"] = True
    registries.world.store.save(registry)
    assert stranger.request("GET", "/v2/app/manifests/1").status_code == 200
    assert stranger.push("app:2").status_code == 401


def test_a_blob_is_not_mounted_from_where_the_caller_may_not_pull(ca: Path) -> None:
    client = RegistryClient(HOST, ca, "pusher")
    client.push("secret:1", b"of another")
    # The token covers `app` alone, so the mount is not done and an upload begins instead.
    path = f"/v2/app/blobs/uploads/?mount={digest(b'of another')}&from=secret"
    assert client.request("POST", path).status_code == 202


def test_images_outlive_the_process_and_its_restart(registries: Registries, ca: Path) -> None:
    RegistryClient(HOST, ca, "pusher").push("app:1")
    process = registries.supervisor.running["registry-acragentsdev"]
    process.kill()
    process.wait()
    client = RegistryClient(HOST, ca, "puller")
    assert client.request("GET", "/v2/app/manifests/1").status_code == 503
    registries.put(adminUserEnabled=True)
    assert client.request("GET", "/v2/app/manifests/1").status_code == 200


def test_a_locked_tag_is_neither_overwritten_nor_deleted(registries: Registries, ca: Path) -> None:
    client = RegistryClient(HOST, ca, "pusher")
    client.push("app:1")
    client.push("app:2", b"other")
    locked = client.request(
        "PATCH", "/acr/v1/app/_tags/1", json={"writeEnabled": False, "deleteEnabled": False}
    )
    assert locked.json()["tag"]["changeableAttributes"]["writeEnabled"] is False
    assert client.push("app:1", b"new").status_code == 405
    assert client.push("app:2", b"new").status_code == 201
    delete = RegistryClient(HOST, ca, "deleter")
    assert delete.request("DELETE", "/acr/v1/app/_tags/1").status_code == 405
    assert delete.request("DELETE", "/acr/v1/app").status_code == 405
    reference = locked.json()["tag"]["digest"]
    assert delete.request("DELETE", f"/v2/app/manifests/{reference}").status_code == 405
    client.request("PATCH", "/acr/v1/app/_tags/1", json={"writeEnabled": True, "deleteEnabled": True})
    assert delete.request("DELETE", "/acr/v1/app/_tags/1").status_code == 202
    assert client.request("GET", "/v2/app/manifests/1").status_code == 404


def test_the_catalogue_shows_repositories_tags_and_manifests(ca: Path) -> None:
    client = RegistryClient(HOST, ca, "pusher")
    pushed = [
        client.push(name).headers["docker-content-digest"] for name in ("team/app:1", "team/app:2", "base:1")
    ]
    listed = client.request("GET", "/acr/v1/_catalog")
    assert listed.json() == {"repositories": ["base", "team/app"]}
    first = client.request("GET", "/v2/_catalog?n=1")
    assert first.json() == {"repositories": ["base"]}
    assert first.headers["link"] == '</v2/_catalog?last=base&n=1>; rel="next"'
    repository = client.request("GET", "/acr/v1/team/app").json()
    assert (repository["imageName"], repository["tagCount"], repository["manifestCount"]) == (
        "team/app",
        2,
        1,
    )
    tags = client.request("GET", "/acr/v1/team/app/_tags").json()["tags"]
    assert [(tag["name"], tag["digest"]) for tag in tags] == [("1", pushed[0]), ("2", pushed[1])]
    manifests = client.request("GET", "/acr/v1/team/app/_manifests").json()["manifests"]
    assert [(m["digest"], m["tags"], m["architecture"]) for m in manifests] == [
        (pushed[0], ["1", "2"], "amd64")
    ]
    assert client.request("GET", "/acr/v1/none").status_code == 404


def test_deleting_a_repository_keeps_its_neighbours(ca: Path) -> None:
    client = RegistryClient(HOST, ca, "pusher")
    client.push("team:1")
    client.push("team/app:1")
    delete = RegistryClient(HOST, ca, "deleter")
    assert delete.request("DELETE", "/acr/v1/team").json()["tagsDeleted"] == ["1"]
    assert client.request("GET", "/acr/v1/_catalog").json() == {"repositories": ["team/app"]}


def test_a_deleted_registry_leaves_nothing(registries: Registries, ca: Path) -> None:
    RegistryClient(HOST, ca, "pusher").push("app:1")
    registries.delete()
    assert not registries.supervisor.programs
    assert HOST not in registries.world.hosts.names
    assert not (registries.world.services.config.state / "registries" / "acragentsdev").exists()
    assert RegistryClient(HOST, ca).http.get("/v2/").status_code == 404
