"""A real Pulumi engine on a project in a temporary folder, with a file backend of its own."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.config import Config
from sandbox.engine import plug
from sandbox.engine.language_host import launcher
from sandbox.host.environment import backend_url


def tool(name: str) -> Path:
    """A program of the toolchain: from a cache or PATH. Skips the test that asks where it is missing."""
    places = (
        Config().cache.glob(f"*/bin/{name}"),
        Path.home().glob(f"go/pkg/mod/github.com/pulumi/pulumi/sdk/v3@*/python/*/{name}"),
        (Path(found) for found in [shutil.which(name)] if found),
    )
    for place in places:
        if found := sorted(place):
            return found[-1]
    pytest.skip(f"{name} is not installed; `make up` installs it")


@dataclass
class Project:
    """`pulumi` on one stack of one project. Exit codes are checked unless a command says otherwise."""

    directory: Path
    environment: dict[str, str]
    plugs: list[tuple[Any, str]] = field(default_factory=list)

    def attach(self, provider: plug.Plug) -> None:
        """Serve a provider and have the engine attach to it."""
        running, port = plug.server(provider, 0)
        self.plugs.append((running, f"{provider.package}:{port}"))
        self.environment["PULUMI_DEBUG_PROVIDERS"] = ",".join(address for _, address in self.plugs)

    def write(self, program: str, name: str = "__main__.py") -> None:
        (self.directory / name).write_text(textwrap.dedent(program))

    def pulumi(self, *arguments: str, fails: bool = False, timeout: float = 120) -> str:
        """Output (both streams) of one command."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=self.directory,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def configure(self, key: str, value: str | None) -> None:
        """Set or remove one setting of the stack, as `pulumi config set` does (which takes a second)."""
        path = self.directory / "Pulumi.test.yaml"
        settings = yaml.safe_load(path.read_text()) if path.exists() else {}
        name = key if ":" in key else f"trial:{key}"
        config = {**settings.get("config", {}), name: value}
        settings["config"] = {name: value for name, value in config.items() if value is not None}
        path.write_text(yaml.safe_dump(settings))

    def up(self, *arguments: str, fails: bool = False) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, fails=fails)

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))

    def state(self) -> dict[str, Any]:
        return json.loads(self.pulumi("stack", "export", "--show-secrets"))["deployment"]

    def stored(self) -> list[dict[str, Any]]:
        """The resources in the backend's file, without asking the CLI."""
        path = self.directory.parent / "backend" / ".pulumi" / "stacks" / "trial" / "test.json"
        latest = json.loads(path.read_text())["checkpoint"].get("latest") or {}
        return latest.get("resources") or []

    def resource(self, name: str) -> dict[str, Any]:
        (found,) = [r for r in self.state()["resources"] if r["urn"].endswith(f"::{name}")]
        return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs an engine: seconds each, too long for `make check`."""
    for item in items:
        if "pulumi_path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def pulumi_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PATH with the CLI and, beside it, this language host."""
    folder = tmp_path_factory.mktemp("bin")
    host = folder / launcher.NAME
    host.write_text(launcher.script(Path(sys.executable)))
    for name in (f"{launcher.NAME}-exec", "pulumi-resource-pulumi-python"):
        shutil.copyfile(tool(name), folder / name)
    for script in folder.iterdir():
        script.chmod(0o755)
    try:
        os.link(tool("pulumi"), folder / "pulumi")  # a symbolic link would make the engine look elsewhere
    except OSError:
        shutil.copy(tool("pulumi"), folder / "pulumi")
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def project(tmp_path: Path, pulumi_path: str) -> Iterator[Project]:
    yield from made_project(tmp_path, pulumi_path)


def made_project(folder: Path, path: str, extra: Mapping[str, str] | None = None) -> Iterator[Project]:
    """An empty project with a stack `test`; `extra` are variables for everything that is run in it."""
    directory = folder / "program"
    directory.mkdir()
    virtualenv = Path(sys.prefix)
    (directory / "Pulumi.yaml").write_text(
        json.dumps(
            {"name": "trial", "runtime": {"name": "python", "options": {"virtualenv": str(virtualenv)}}}
        )
    )
    (folder / "backend").mkdir()
    made = Project(
        directory,
        {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "VIRTUAL_ENV"))},
            **(extra or {}),
            "PATH": path,
            "HOME": str(folder),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": backend_url(folder / "backend"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
    )
    made.write("")
    made.pulumi("stack", "init", "test")
    yield made
    for running, _ in made.plugs:
        running.stop(None)
