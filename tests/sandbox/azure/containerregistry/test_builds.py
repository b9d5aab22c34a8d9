"""Quick builds with the calls that `az acr build` makes: upload by signed URL, schedule, follow the log "
"blob."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import ssl
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Call, Principal
from sandbox.azure.containerregistry import naming
from sandbox.azure.containerregistry.registries import RegistryHandler
from sandbox.azure.containerregistry.tasks.buildah import Buildah
from sandbox.azure.containerregistry.tasks.run import Run, RunFiles
from sandbox.azure.containerregistry.tasks.runs import Runs
from sandbox.azure.dataplane import find
from sandbox.config import TENANT_ID, Config
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.toolchain import Toolchain
from sandbox.toolchain.wheelhouse import CONFIGURATION
from tests.sandbox.azure.containerregistry.client import RegistryClient
from tests.sandbox.azure.containerregistry.conftest import HOST, Registries

WHO = Principal("owner", "app-owner", TENANT_ID, "arm", {})
SCRATCH = "FROM scratch\nARG WORDS\nLABEL words=$WORDS\nCOPY hello.txt /\n"


def context(files: dict[str, str]) -> bytes:
    """A build context as the CLI packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def trust(registries: Registries) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(registries.world.services.config.ca_certificate))


class Tasks:
    """The ARM calls of the CLI, on the services' loop."""

    def __init__(self, registries: Registries) -> None:
        self.registries = registries
        self.world = registries.world
        self.handler = RegistryHandler(self.world.services)
        registry = find(self.world.store, naming.TYPE, "acragentsdev")
        assert registry is not None
        self.registry = registry

    def action(self, name: str, body: dict[str, Any]) -> Any:
        call = Call(self.registry, body, WHO, "2025-03-01-preview", {})
        return self.registries.server.call(self.handler.actions()[name](call))  # type: ignore[arg-type]

    def operation(self, method: str, path: str, **given: str) -> Any:
        async def run() -> Any:
            found = next(o for o in self.handler.operations() if o.method == method and o.path.endswith(path))
            from sandbox.arm.operation import OperationCall

            parts = self.registry.id
            parameters = {
                "subscription": parts.subscription or "",
                "group": parts.group or "",
                "registry": parts.name,
                **given,
            }
            return (await found.run(OperationCall(parameters, {}, {}, WHO, "2025-03-01-preview"))).body

        return self.registries.server.call(run())

    def upload(self, content: bytes, **options: Any) -> str:
        place = self.action("listBuildSourceUploadUrl", {})
        blob = BlobClient.from_blob_url(place["uploadUrl"], connection_timeout=300, retry_total=0, **options)
        blob.upload_blob(content, blob_type="BlockBlob", overwrite=True)
        return str(place["relativePath"])

    def build(self, files: dict[str, str], image: str = "app:1", **changes: Any) -> str:
        """Schedule a build; the run's id."""
        body = {
            "type": "DockerBuildRequest",
            "imageNames": [image],
            "isPushEnabled": True,
            "sourceLocation": self.upload(context(files)),
            "platform": {"os": "Linux", "architecture": "amd64"},
            "dockerFilePath": "Dockerfile",
            **changes,
        }
        return str(self.action("scheduleRun", body)["properties"]["runId"])

    def log(self, run: str) -> BlobClient:
        link = self.operation("POST", "/listLogSasUrl", run=run)["logLink"]
        return BlobClient.from_blob_url(link, retry_total=0)

    def wait(self, run: str) -> tuple[dict[str, Any], str]:
        """Follow the log to its end: the run, and what it said."""
        blob = self.log(run)
        deadline = time.monotonic() + 120
        while not (blob.exists() and "complete" in {k.lower() for k in blob.get_blob_properties().metadata}):
            assert time.monotonic() < deadline, "the build did not end"
            time.sleep(0.1)
        text, start, size = b"", 0, blob.get_blob_properties().size
        while start < size:
            piece = blob.download_blob(offset=start, length=4096, max_concurrency=1).readall()
            text, start = text + piece, start + len(piece)
        shown = self.operation("GET", "/runs/{run}", run=run)
        return shown["properties"], text.decode()


async def _proxy(port: int, ready: Callable[[int], None]) -> None:
    """Every name leads to the test's server: what /etc/hosts does in the sandbox."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname()[1])


@pytest.fixture
def tasks(registries: Registries, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tasks]:
    ports: list[int] = []
    registries.server.call(_proxy(registries.server.port, ports.append))
    genuine = Buildah._environment
    proxied = {"HTTPS_PROXY": f"http://127.0.0.1:{ports[0]}"}
    monkeypatch.setattr(Buildah, "_environment", lambda self: {**genuine(self), **proxied})
    wheels = registries.world.services.config.cache / "wheelhouse-0"
    wheels.mkdir(parents=True)
    for name in CONFIGURATION:
        (wheels / name).touch()
    Toolchain(bin=wheels, images={}, base_images={}, wheelhouse=wheels).save(registries.world.services.config)
    registries.put()
    registries.grant("puller", "pull/read")
    return Tasks(registries)


def test_a_build_is_pushed_and_reported_with_its_digest(registries: Registries, tasks: Tasks) -> None:
    run, log = tasks.wait(
        tasks.build(
            {"Dockerfile": SCRATCH, "hello.txt": "hello"},
            image="agents-api:{{.Run.ID}}",
            arguments=[{"name": "WORDS", "value": "two words"}],
        )
    )
    assert run["status"] == "Succeeded", log
    image = run["outputImages"][0]
    assert (image["registry"], image["repository"], image["tag"]) == (HOST, "agents-api", "ca1")
    client = RegistryClient(HOST, registries.world.services.config.ca_certificate, "puller")
    manifest = client.request("GET", f"/v2/agents-api/manifests/{image['digest']}").json()
    config = client.request("GET", f"/v2/agents-api/blobs/{manifest['config']['digest']}").json()
    assert config["config"]["Labels"]["words"] == "two words"
    assert "Run ID: ca1 was successful after" in log
    assert "\r\n" in log


def test_a_failing_build_says_why(tasks: Tasks) -> None:
    run, log = tasks.wait(tasks.build({"Dockerfile": "FROM scratch\nCOPY missing.txt /\n"}))
    assert run["status"] == "Failed"
    assert "missing.txt" in run["runErrorMessage"]
    assert "Run ID: ca1 failed" in log
    assert "outputImages" not in run or run["outputImages"] == []
    assert tasks.log("ca1").get_blob_properties().metadata.popitem() == ("complete", "failed")


def test_a_closed_registry_does_not_take_what_azures_shared_machines_built(tasks: Tasks) -> None:
    tasks.registry.properties["publicNetworkAccess"] = "Disabled"
    tasks.world.store.save(tasks.registry)
    run, log = tasks.wait(tasks.build({"Dockerfile": SCRATCH, "hello.txt": "hello"}))
    assert run["status"] == "Failed"
    assert "Successfully executed container: build" in log
    assert "denied: client with IP" in run["runErrorMessage"]


def test_a_base_image_that_is_not_there_is_named(tasks: Tasks) -> None:
    run, log = tasks.wait(tasks.build({"Dockerfile": "FROM nginx:1\n"}))
    assert run["status"] == "Failed"
    assert "nginx" in log


def test_an_image_can_be_built_upon_one_of_the_registry(tasks: Tasks) -> None:
    tasks.wait(tasks.build({"Dockerfile": SCRATCH, "hello.txt": "hello"}, image="base:1"))
    run, log = tasks.wait(tasks.build({"Dockerfile": f"FROM {HOST}/base:1\nLABEL x=y\n"}, image="app:1"))
    assert run["status"] == "Succeeded", log


def test_layers_are_kept_between_builds(tasks: Tasks) -> None:
    files = {"Dockerfile": SCRATCH, "hello.txt": "hello"}
    tasks.wait(tasks.build(files))
    _, log = tasks.wait(tasks.build(files, image="app:2"))
    assert "Using cache" in log
    _, fresh = tasks.wait(tasks.build(files, image="app:3", noCache=True))
    assert "Using cache" not in fresh


def test_builds_queue_and_a_waiting_one_can_be_cancelled(tasks: Tasks) -> None:
    files = {"Dockerfile": SCRATCH, "hello.txt": "hello"}
    first, second, third = (tasks.build(files, image=f"app:{n}") for n in range(3))
    tasks.operation("POST", "/cancel", run=second)
    assert tasks.wait(second)[0]["status"] == "Canceled"
    assert tasks.wait(first)[0]["status"] == "Succeeded"
    assert tasks.wait(third)[0]["status"] == "Succeeded"
    listed = tasks.operation("GET", "/runs")["value"]
    assert [run["name"] for run in listed] == [third, second, first]


def test_what_a_stop_cut_off_is_built_after_it(tasks: Tasks) -> None:
    services = tasks.world.services
    source = tasks.upload(context({"Dockerfile": SCRATCH, "hello.txt": "hello"}))
    run = tasks.build({"Dockerfile": SCRATCH, "hello.txt": "hello"})
    tasks.wait(run)
    files = RunFiles(Runs.of(services)._files("acragentsdev").folder)
    done = files.get(run)
    assert done is not None
    build = dataclasses.replace(done.build, source=source)
    cut = Run("ca2", done.registry, done.login_server, build, status="Running")
    files.save(cut)

    async def resume() -> None:
        Runs.of(services).resume(tasks.registry)

    tasks.registries.server.call(resume())
    assert tasks.wait("ca2")[0]["status"] == "Succeeded"


def test_a_context_that_reaches_outside_itself_is_refused(tasks: Tasks) -> None:
    run, _ = tasks.wait(tasks.build({"../evil": "x", "Dockerfile": SCRATCH}))
    assert run["status"] == "Failed"
    assert "cannot be unpacked" in run["runErrorMessage"]
    run, _ = tasks.wait(tasks.build({"Dockerfile": SCRATCH}, dockerFilePath="../auth.json"))
    assert "no Dockerfile" in run["runErrorMessage"]


def test_a_large_context_is_sent_in_blocks(tasks: Tasks) -> None:
    content = bytes(range(256)) * 40_000
    options = {"max_single_put_size": 1_000_000, "max_block_size": 1_000_000}
    relative = tasks.upload(content, **options)
    stored = tasks.world.services.config.state / "registries" / "acragentsdev" / "tasks" / relative
    assert stored.read_bytes() == content


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "EncodedTaskRunRequest"}, "DockerBuildRequest"),
        ({"platform": {"os": "Windows"}}, "linux/amd64"),
        ({"sourceLocation": "https://github.com/x/y.git"}, "uploaded context"),
        ({"sourceLocation": "source/../../azure.db"}, "uploaded context"),
        ({"imageNames": ["Bad Name"]}, "repository:tag"),
        ({"timeout": 5}, "300"),
        ({"agentPoolName": "nowhere"}, "no agent pool 'nowhere'"),
    ],
)
def test_what_cannot_be_built_is_refused(tasks: Tasks, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArmError, match=words) as refused:
        tasks.build({"Dockerfile": SCRATCH}, **changes)
    assert refused.value.status == 400


def test_a_signed_url_is_good_for_its_blob_and_purpose_only(tasks: Tasks, registries: Registries) -> None:
    place = tasks.action("listBuildSourceUploadUrl", {})["uploadUrl"]
    with pytest.raises(HttpResponseError):
        BlobClient.from_blob_url(place, retry_total=0).download_blob()
    with httpx.Client(verify=trust(registries)) as client:
        headers = {"x-ms-blob-type": "BlockBlob"}
        assert (
            client.put(place.replace("source/", "source/x"), content=b"", headers=headers).status_code == 403
        )
        assert client.put(place, content=b"x", headers=headers).status_code == 201


def _processes(argument: str) -> list[int]:
    running = psutil.process_iter(["cmdline"])
    return [process.pid for process in running if argument in (process.info["cmdline"] or [])]


def test_builds_on_the_base_image(tasks: Tasks) -> None:
    """It trusts the sandbox, pip finds its packages, and a build that is ended leaves nothing behind."""
    services = tasks.world.services
    try:
        toolchain = Toolchain.load(Config())
    except ToolchainError as error:
        pytest.skip(f"needs a base image: {error}")
    toolchain.save(services.config)
    run = tasks.build({"Dockerfile": "FROM python:3.11-slim-bookworm\nRUN sleep 3170\n"})
    deadline = time.monotonic() + 120
    while not _processes("3170"):
        assert time.monotonic() < deadline, "the build did not get to its command"
        time.sleep(0.1)
    tasks.operation("POST", "/cancel", run=run)
    assert tasks.wait(run)[0]["status"] == "Canceled"
    assert not _processes("3170")
    assert str(services.config.state) not in Path("/proc/mounts").read_text()
    script = (
        "import os, ssl; "
        "names = [str(c['subject']) for c in ssl.create_default_context().get_ca_certs()]; "
        "assert any('test CA' in n for n in names) and len(names) > 1, names; "
        "assert os.environ['REQUESTS_CA_BUNDLE']"
    )
    install = "python3 -m venv /venv && /venv/bin/pip install h11"
    dockerfile = f'FROM python:3.11-slim-bookworm\nRUN python3 -c "{script}"\nRUN {install}\n'
    shown, log = tasks.wait(tasks.build({"Dockerfile": dockerfile}))
    assert shown["status"] == "Succeeded", log
    assert "Successfully installed h11" in log
