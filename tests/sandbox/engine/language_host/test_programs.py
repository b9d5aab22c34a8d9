"""Programs under the language host, run by the real engine."""

import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.sandbox.engine.conftest import Project

#: What the policy SDK's server does, as far as one mandatory rule needs it.
PACK = """
import threading
from concurrent.futures import ThreadPoolExecutor
import grpc
from pulumi.runtime.proto import analyzer_pb2 as a, analyzer_pb2_grpc, plugin_pb2

class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def Handshake(self, request, context): return a.AnalyzerHandshakeResponse()
    def ConfigureStack(self, request, context): return a.AnalyzerStackConfigureResponse()
    def GetPluginInfo(self, request, context): return plugin_pb2.PluginInfo(version="1.0.0")
    def Configure(self, request, context):
        from google.protobuf import empty_pb2
        return empty_pb2.Empty()
    def GetAnalyzerInfo(self, request, context):
        policy = a.PolicyInfo(name="no", enforcementLevel=a.MANDATORY)
        return a.AnalyzerInfo(name="pack", version="1.0.0", policies=[policy])
    def Analyze(self, request, context): return a.AnalyzeResponse()
    def AnalyzeStack(self, request, context):
        found = a.AnalyzeDiagnostic(policyName="no", policyPackName="pack", policyPackVersion="1.0.0",
                                    message="refused", enforcementLevel=a.MANDATORY)
        return a.AnalyzeResponse(diagnostics=[found])

server = grpc.server(ThreadPoolExecutor())
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
threading.Event().wait()
"""


def test_a_program_sees_its_settings_and_its_outputs_reach_the_stack(project: Project) -> None:
    project.configure("plain", "one")
    project.pulumi("config", "set", "--secret", "hidden", "two")
    project.write(
        """
        import os, pulumi
        config = pulumi.Config()
        pulumi.export("plain", config.require("plain"))
        pulumi.export("hidden", config.require_secret("hidden"))
        pulumi.export("stack", [pulumi.get_project(), pulumi.get_stack()])
        pulumi.export("root", pulumi.runtime.get_root_directory())
        pulumi.export("folder", os.getcwd())
        print("said on stdout")
        """
    )
    shown = project.up()
    assert "said on stdout" in shown
    assert project.outputs() == {
        "plain": "one",
        "hidden": "two",
        "stack": ["trial", "test"],
        "root": str(project.directory),
        "folder": str(project.directory),
    }
    assert "two" not in project.pulumi("stack", "output")


def test_bytecode_is_kept_even_where_it_may_not_lie_beside_the_sources(
    project: Project, tmp_path: Path
) -> None:
    project.environment |= {"PYTHONDONTWRITEBYTECODE": "1", "AGENTS_SANDBOX_CACHE": str(tmp_path / "cache")}
    project.write("value = 1", "helper.py")
    project.write("import sys\nsys.path.insert(0, '.')\nimport helper")
    project.up()
    assert not (project.directory / "__pycache__").exists()
    assert list((tmp_path / "cache" / "bytecode").rglob("helper.*.pyc"))


def test_a_traceback_is_shown_once(project: Project) -> None:
    project.write(
        """
        def deep():
            raise LookupError("no such thing")
        deep()
        """
    )
    shown = project.up(fails=True)
    assert shown.count("LookupError: no such thing") == 1
    assert "Program failed with an unhandled exception" in shown
    assert "exit code" not in shown


def test_an_exit_code_is_told(project: Project) -> None:
    project.write("import os; os._exit(3)")
    assert "Program exited with non-zero exit code: 3" in project.up(fails=True)


def test_a_missing_virtual_environment_is_told_with_its_remedy(project: Project) -> None:
    manifest = project.directory / "Pulumi.yaml"
    manifest.write_text("{name: trial, runtime: {name: python, options: {virtualenv: nowhere}}}")
    shown = project.up(fails=True)
    assert f"virtual environment {project.directory}/nowhere does not exist" in shown
    assert "pulumi install" in shown


def test_install_makes_the_virtual_environment(project: Project) -> None:
    manifest = project.directory / "Pulumi.yaml"
    manifest.write_text("{name: trial, runtime: {name: python, options: {virtualenv: made}}}")
    project.pulumi("install")
    assert (project.directory / "made" / "bin" / "python").exists()


def test_about_names_the_interpreter_and_the_packages(project: Project) -> None:
    shown = project.pulumi("about", "--transitive")
    assert "python" in shown
    assert "pulumi-kubernetes" in shown.replace("_", "-")


def test_dynamic_providers_run(project: Project) -> None:
    project.write(
        """
        import pulumi
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider
        class Upper(ResourceProvider):
            def create(self, props):
                return CreateResult("id", {"text": props["text"].upper()})
        class Thing(Resource):
            text: pulumi.Output[str]
            def __init__(self, name, text):
                super().__init__(Upper(), name, {"text": text})
        pulumi.export("text", Thing("thing", "abc").text)
        """
    )
    project.up()
    assert project.outputs() == {"text": "ABC"}


def test_a_policy_pack_reports_only_its_violation(project: Project, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text((project.directory / "Pulumi.yaml").read_text())
    (pack / "__main__.py").write_text(PACK)
    shown = project.pulumi("preview", "--policy-pack", str(pack), fails=True)
    assert "refused" in shown
    assert "Traceback" not in shown
    assert "KeyboardInterrupt" not in shown


@pytest.mark.parametrize("victims", ["engine", "engine and host"])
def test_a_killed_run_leaves_no_process(project: Project, victims: str) -> None:
    project.write("import time, pathlib\npathlib.Path('running').touch()\ntime.sleep(600)")
    run = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _until((project.directory / "running").exists)
    family = psutil.Process(run.pid).children(recursive=True)
    assert family
    run.send_signal(signal.SIGKILL)
    run.wait()
    if "host" in victims:
        family[0].kill()
    _until(lambda: not any(child.is_running() and child.status() != "zombie" for child in family))


def _until(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
