"""The web console in a real browser, on an agent that is served on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from app.llm.budget import Standing
from app.llm.failures import ExhaustedError
from app.main import create_app
from app.settings import ConsoleSettings
from tests.app.conftest import FakeRouter, FakeStore, make_agent
from tests.browser import browser as chromium
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Served:
    """An agent behind a port; `llm` and `store` are its fakes."""

    def __init__(self) -> None:
        self.llm, self.store = FakeRouter(), FakeStore()
        llm: Any = self.llm
        store: Any = self.store
        budget: Any = self
        app = create_app(
            make_agent(llm, store),
            budget=budget,
            console=ConsoleSettings.model_validate({"Agents": ["notification"]}),
        )
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def standing(self) -> Standing:
        return Standing(250_000, 1_000_000, datetime(2026, 11, 29, tzinfo=UTC))

    def start(self) -> str:
        self._thread.start()
        until(lambda: self.server.started, what="the agent is served")
        (listener,) = self.server.servers[0].sockets
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The console, opened. What the browser complains of (a policy, a script) fails the test."""
    complaints: list[str] = []
    page = browser.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(served.start())
    yield page
    page.close()
    # A refused request is told there, too.
    assert [said for said in complaints if "Failed to load resource" not in said] == []


def test_it_shows_the_agent_and_what_it_has_left(page: Page) -> None:
    expect(page.get_by_role("heading", name="notification")).to_be_visible()
    expect(page.locator("nav button strong")).to_have_class("healthy")
    expect(page.get_by_label("Bearer token")).to_be_hidden()
    expect(page.locator("nav")).to_contain_text("750,000 of 1,000,000 tokens left")
    expect(page.locator("#facts")).to_contain_text("agents.servicedesk.incident.triaged")


def test_an_example_runs_and_says_who_answered(page: Page, served: Served) -> None:
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#served")).to_contain_text("fake, model-1")
    expect(page.locator("#output")).to_contain_text("Disk is full.")
    expect(page.locator("#executions tr")).to_have_count(1)
    assert len(served.llm.asked) == 1


def test_more_than_a_page_of_executions_can_be_read(page: Page) -> None:
    for number in range(1, 12):
        page.get_by_role("button", name="Run").click()
        expect(page.locator("#executions tr")).to_have_count(min(number, 10))
        expect(page.get_by_role("button", name="Run")).to_be_enabled()
    page.get_by_role("button", name="More").click()
    expect(page.locator("#executions tr")).to_have_count(11)
    expect(page.get_by_role("button", name="More")).to_be_hidden()


def test_what_goes_wrong_is_said_and_loses_nothing(page: Page, served: Served) -> None:
    page.locator("#input").fill("{nope")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("The input is not JSON")
    page.locator("#input").fill('{"channel": "pigeon"}')
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("$.input.channel")
    expect(page.locator("#input")).to_have_value('{"channel": "pigeon"}')
    served.llm.error = ExhaustedError([], 7)
    page.locator("#example").select_option(index=0)
    page.locator("#example").dispatch_event("change")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("Try again in 7 s.")


def test_texts_from_outside_stay_texts(page: Page) -> None:
    """An agent's answer is markup at will; here it comes back as the input that is stored."""
    text = "<img src=x onerror=document.title='owned'>"
    page.locator("#input").fill(json.dumps({"channel": "sms", "recipient": "a", "message": text}))
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#executions tr")).to_have_count(1)
    assert page.title() == "Agents"
    assert page.locator("img").count() == 0


def test_the_page_can_be_looked_at(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#executions tr")).to_have_count(1)
    assert len(page.screenshot(path=tmp_path / "console.png", full_page=True)) > 10_000
