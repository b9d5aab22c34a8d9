"""Commands as resources, run by the real engine."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sandbox.engine.caller import Caller, program_directory
from sandbox.engine.command.provider import CommandPlug
from tests.sandbox.engine.conftest import Project


@pytest.fixture
def commands(project: Project) -> Project:
    project.attach(CommandPlug())
    return project


def test_the_whole_life_of_a_command(commands: Project) -> None:
    log = commands.directory / "log"
    program = """
        import pulumi
        from pulumi_command import local
        config = pulumi.Config()
        c = local.Command("job",
            create="echo create $WHO >> log; echo made; echo warned >&2",
            update="echo update after $PULUMI_COMMAND_STDOUT >> log; echo changed",
            delete="echo delete after $PULUMI_COMMAND_STDOUT >> log",
            environment={"WHO": config.require("who")})
        pulumi.export("out", c.stdout)
        pulumi.export("err", c.stderr)
        """
    commands.write(program)
    commands.configure("who", "one")
    commands.up()
    assert log.read_text() == "create one\n"
    assert commands.outputs() == {"out": "made", "err": "warned"}
    commands.up("--refresh", "--expect-no-changes")

    commands.configure("who", "two")
    commands.up()
    assert commands.outputs()["out"] == "changed"
    commands.pulumi("destroy", "--yes", "--skip-preview")
    assert log.read_text() == "create one\nupdate after made\ndelete after changed\n"


def test_triggers_replace_only_without_an_update_command(commands: Project) -> None:
    program = """
        import pulumi
        from pulumi_command import local
        tick = pulumi.Config().require("tick")
        local.Command("replaced", create="echo create >> replaced", delete="echo delete >> replaced",
                      triggers=[tick])
        local.Command("updated", create="echo create >> updated", update="echo update >> updated",
                      triggers=[tick])
        """
    commands.write(program)
    for tick in ("one", "two"):
        commands.configure("tick", tick)
        commands.up()
    assert (commands.directory / "replaced").read_text() == "create\ncreate\ndelete\n"
    assert (commands.directory / "updated").read_text() == "create\nupdate\n"


def test_a_failure_shows_what_the_command_printed_and_is_tried_again(commands: Project) -> None:
    program = """
        from pulumi_command import local
        local.Command("job", create="echo step one; echo no space >&2; test -e ready")
        """
    commands.write(program)
    shown = commands.up(fails=True)
    assert 'exit status 1: running "echo step one; echo no space >&2; test -e ready"' in shown
    assert "no space" in shown
    (commands.directory / "ready").touch()
    assert "1 created" in commands.up()


def test_secret_inputs_make_the_output_secret(commands: Project) -> None:
    commands.pulumi("config", "set", "--secret", "word", "hunter2")
    commands.write(
        """
        import pulumi
        from pulumi_command import local
        word = pulumi.Config().require_secret("word")
        secret = local.Command("secret", create="cat", stdin=word, logging="none")
        plain = local.Command("plain", create="echo open")
        pulumi.export("secret", secret.stdout)
        pulumi.export("plain", plain.stdout)
        """
    )
    assert "hunter2" not in commands.up()
    shown = commands.pulumi("stack", "output")
    assert "hunter2" not in shown
    assert "open" in shown
    assert commands.outputs() == {"secret": "hunter2", "plain": "open"}
    assert "hunter2" not in commands.pulumi("stack", "export")


def test_files_come_back_as_assets(commands: Project) -> None:
    commands.write(
        """
        import pulumi
        from pulumi_command import local
        made = local.Command("made", create="mkdir -p out/sub; echo a > out/a.txt; echo b > out/sub/b.txt",
                             asset_paths=["out/**", "!**b.txt"], archive_paths=["out/**"])
        pulumi.export("assets", made.assets.apply(lambda found: sorted(found)))
        pulumi.export("archive", made.archive.apply(lambda found: sorted(found.assets)))
        """
    )
    commands.up()
    assert commands.outputs() == {
        "assets": ["out/a.txt"],
        "archive": ["out/a.txt", "out/sub/b.txt"],
    }
    commands.pulumi("preview", "--expect-no-changes")


def test_run_is_a_function(commands: Project) -> None:
    commands.write(
        """
        import pulumi
        from pulumi_command import local
        pulumi.export("said", local.run(command="tr a-z A-Z", stdin="abc", dir="/").stdout)
        pulumi.export("later", local.run_output(command=pulumi.Output.from_input("pwd")).stdout)
        pulumi.export("home", local.run(command="echo $USERS_OWN", interpreter=["/bin/sh", "-uc"]).stdout)
        """
    )
    commands.environment["USERS_OWN"] = "set by the user"
    commands.up()
    assert commands.outputs() == {
        "said": "ABC",
        "later": str(commands.directory),
        "home": "set by the user",
    }


def test_bad_input_is_named(commands: Project) -> None:
    commands.write(
        """
        from pulumi_command import local
        local.Command("job", create="true", logging="loud")
        """
    )
    shown = commands.up(fails=True)
    assert "logging" in shown
    assert "must be one of stdout, stderr, stdoutAndStderr, none" in shown


def test_a_missing_directory_is_named(commands: Project) -> None:
    commands.write("from pulumi_command import local\nlocal.Command('job', create='true', dir='nowhere')")
    assert f"the directory {commands.directory}/nowhere does not exist" in commands.up(fails=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_early_ends_its_command(commands: Project, number: signal.Signals) -> None:
    commands.write(
        "from pulumi_command import local\nlocal.Command('job', create='touch on; exec sleep 987')"
    )
    run = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=commands.directory,
        env=commands.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not (commands.directory / "on").exists():
        assert time.monotonic() < deadline
        run.poll()
    family = psutil.Process().children(recursive=True)
    (command,) = [p for p in family if p.name() == "sleep" and p.cmdline()[-1:] == ["987"]]
    run.send_signal(number)
    shown, _ = run.communicate(timeout=30)
    assert run.returncode != 0
    assert number == signal.SIGKILL or "interrupted" in shown
    with suppress(psutil.NoSuchProcess):
        command.wait(10)


def test_a_program_below_the_project_is_found(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nmain: src/\n")
    deep = tmp_path / "src" / "deep"
    deep.mkdir(parents=True)
    assert program_directory(deep) == tmp_path / "src"
    (tmp_path / "Pulumi.yaml").write_text("name: a\n")
    assert program_directory(deep) == tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as somebody else")
def test_commands_of_another_user_run_as_that_user() -> None:
    nobody = Caller(65534, 65534, Path("/"), {})
    said = subprocess.run(["id", "-u"], capture_output=True, text=True, check=True, **nobody.identity())
    assert said.stdout.strip() == "65534"
