"""Updates that fail: of every resource type, in every way; and two at once.

The types of dev's graph fail on a stack of their own, which is made from nothing once for each way to fail.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.sandboxed import ROOT, Sandbox
from tests.soak.faults import FAILURES, Faults, misworded, peel, tokens
from tests.soak.stack import OwnStack

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def stack(bare_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStack]:
    own = OwnStack(bare_sandbox, "faulty", tmp_path_factory.mktemp("stack"))
    yield own
    own.remove()


@pytest.mark.parametrize("name", FAILURES)
def test_every_type_fails_in_words_and_is_repaired_by_the_next_update(stack: OwnStack, name: str) -> None:
    failure = FAILURES[name]
    stack.pulumi("destroy", "--yes", "--skip-preview", timeout=1200)
    peeled = peel(stack, failure, tokens(failure))
    assert peeled.told.keys() == set(tokens(failure))
    assert peeled.stray == {}
    assert misworded(failure, peeled) == {}
    repaired = stack.up()
    assert repaired.code == 0, repaired.text[-6000:]
    stack.check_whole()


def test_an_answer_that_never_comes_is_asked_for_again(stack: OwnStack) -> None:
    """Longer than any client waits: it hangs up, asks again, and finds that nothing has happened yet."""
    stack.pulumi("destroy", "--yes", "--skip-preview", timeout=1200)
    with Faults() as faults:
        faults.add("azure-native:managedidentity:UserAssignedIdentity", hang=3600.0, times=1)
        update = stack.up()
        assert not faults.in_force()
    assert update.code == 0, update.text[-6000:]
    # The vault was recovered from the last test's destruction, as it was: what the program says comes now.
    settled = stack.up()
    assert settled.code == 0, settled.text[-6000:]
    stack.check_whole()


def test_the_second_of_two_updates_is_refused_with_the_lock(sandbox: Sandbox) -> None:
    """The first is held inside its update by a resource that does not answer; it then ends undisturbed."""
    up = ("pulumi", "--non-interactive", "up", "-s", "dev", "--yes", "--skip-preview")
    with Faults() as faults:
        faults.add("azure-native:resources:ResourceGroup", method="GET", hang=60.0, times=1)
        first = subprocess.Popen([*up, "--refresh"], env=sandbox.env, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while faults.in_force():
            assert first.poll() is None, "the first update ended without asking for the resource"
            assert time.monotonic() < deadline, "the first update never reached the resource"
            time.sleep(0.2)
        second = sandbox.run(*up, check=False)
    assert second.code != 0
    assert "the stack is currently locked by 1 lock(s)" in second.err
    assert "pulumi cancel" in second.err
    assert first.wait(600) == 0
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")
