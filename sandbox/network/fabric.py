"""Puts a plan in force on this machine: rules in namespaces, views of the name server, names of the host."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from sandbox.aks.shell import CommandError, run
from sandbox.config import Config
from sandbox.host import files, netns
from sandbox.host.dns import pid_file, views_file
from sandbox.host.hosts import HostNames
from sandbox.network import rules, views
from sandbox.network.plan import Plan

log = logging.getLogger(__name__)

#: Seconds for the name server to answer by new views, and between looks.
_IN_FORCE, _LOOK = 5.0, 0.02


class Fabric:
    """Of one sandbox; needs root, and the sandbox's network to be up."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._loaded: dict[str, tuple[int, str]] = {}

    async def apply(self, plan: Plan) -> None:
        """Return when everything is in force. What cannot be is logged; the next call tries again."""
        await asyncio.to_thread(self._apply, plan)

    def _apply(self, plan: Plan) -> None:
        self._load(self._config.netns, rules.gateway(self._config, plan))
        for gate in plan.gates:
            self._load(gate.netns, rules.gate(gate))
        self._resolve(plan)
        preferred = {name: str(address) for name, address in plan.host_names.items()}
        HostNames(self._config).prefer(preferred)

    def _load(self, namespace: str, script: str) -> None:
        """A namespace that is made anew (it has another inode) has lost its rules."""
        if not netns.exists(namespace):
            self._loaded.pop(namespace, None)
            return
        wanted = (netns.inode(namespace), script)
        if self._loaded.get(namespace) == wanted:
            return
        try:
            run("nsenter", f"--net={netns.path(namespace)}", "nft", "-f", "-", stdin=script)
        except CommandError as error:
            log.warning("rules of %s: %s", namespace, error)
        else:
            self._loaded[namespace] = wanted

    def _resolve(self, plan: Plan) -> None:
        text, digest = views.render(self._config, plan)
        changed = files.write_if_changed(views_file(self._config), text)
        if not changed and self._digest() == digest:
            return
        deadline = time.monotonic() + _IN_FORCE
        # A name server that starts just now reads the file by itself, or is told again.
        while self._digest() != digest:
            if time.monotonic() > deadline:
                log.warning("the name server does not answer by views %s", digest)
                return
            _tell(pid_file(self._config))
            self._wait_for(digest, deadline)

    def _wait_for(self, digest: str, deadline: float) -> None:
        until = min(deadline, time.monotonic() + 1)
        while time.monotonic() < until and self._digest() != digest:
            time.sleep(_LOOK)

    def _digest(self) -> str | None:
        """Of the views that the name server answers by."""
        question = dns.message.make_query(views.digest_name(self._config), dns.rdatatype.TXT)
        try:
            answer = dns.query.udp(question, str(self._config.gateway), timeout=1)
        except (dns.exception.DNSException, OSError):
            return None
        return next((str(one).strip('"') for found in answer.answer for one in found), None)


def _tell(pid: Path) -> None:
    """SIGUSR1 has CoreDNS read its configuration again."""
    try:
        os.kill(int(pid.read_text()), signal.SIGUSR1)
    except (OSError, ValueError) as error:
        log.debug("the name server is not told: %s", error)
        time.sleep(_LOOK)
