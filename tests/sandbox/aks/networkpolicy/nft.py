"""As much of nftables as the rules use: a script is read and a packet is sent through a hook.

What it does not know it refuses, so that it cannot wave a rule through. The kernel's own opinion is asked in
`test_kernel`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

_SET = r"\{ ([^}]*) \}"
_HOOK = re.compile(r"type filter hook (\w+) priority filter;")
_MATCHES = (
    ("pair", re.compile(rf"ip saddr \. ip daddr {_SET} ?")),
    ("map", re.compile(rf"ip ([sd])addr vmap {_SET} ?")),
    ("outside", re.compile(rf"ip ([sd])addr != {_SET} ?")),
    ("among", re.compile(rf"ip ([sd])addr {_SET} ?")),
    ("within", re.compile(r"ip ([sd])addr ([\d./]+) ?")),
    ("port", re.compile(rf"(tcp|udp|sctp) dport {_SET} ?")),
    ("protocol", re.compile(r"meta l4proto (\w+) ?")),
    ("state", re.compile(r"ct state established,related ?")),
)
_VERDICT = re.compile(r"(accept|drop|return|jump (\w+))$")


@dataclass(frozen=True)
class Flow:
    source: str
    target: str
    protocol: str = "tcp"
    port: int = 80


@dataclass
class Table:
    chains: dict[str, list[str]] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, script: str) -> Table:
        lines = [line.strip() for line in script.splitlines()]
        assert lines[1].startswith("delete table ip "), "the old table must go"
        table, chain = cls(), ""
        for line in lines[3:]:
            if line.startswith("chain "):
                chain = line.split()[1]
                table.chains[chain] = []
            elif hooked := _HOOK.fullmatch(line):
                table.hooks[hooked[1]] = chain
            elif line and line != "}" and not line.startswith("#"):
                table.chains[chain].append(line)
        return table

    def passes(self, hook: str, flow: Flow) -> bool:
        return hook not in self.hooks or self._run(self.hooks[hook], flow) is not False

    def _run(self, chain: str, flow: Flow) -> bool | None:
        """True accept, False drop, None: the end was reached."""
        for line in self.chains[chain]:
            found = self._line(line, flow)
            if found == "return":
                return None
            if isinstance(found, bool):
                return found
        return None

    def _line(self, line: str, flow: Flow) -> bool | str | None:
        rest = line
        while rest:
            if verdict := _VERDICT.fullmatch(rest):
                return self._verdict(verdict[1], flow)
            kind, match = next(
                ((kind, found) for kind, known in _MATCHES if (found := known.match(rest))), ("", None)
            )
            assert match is not None, f"not understood: {rest}"
            if kind == "map":
                entries = dict(entry.split(" : ") for entry in match[2].split(", "))
                verb = entries.get(_end(match[1], flow))
                return self._verdict(verb, flow) if verb else None
            if not _holds(kind, match, flow):
                return None
            rest = rest[match.end() :]
        raise AssertionError(f"no verdict: {line}")

    def _verdict(self, verdict: str, flow: Flow) -> bool | str | None:
        if verdict.startswith("jump "):
            return self._run(verdict.removeprefix("jump "), flow)
        return "return" if verdict == "return" else verdict == "accept"


def _end(which: str, flow: Flow) -> str:
    return flow.source if which == "s" else flow.target


def _holds(kind: str, match: re.Match[str], flow: Flow) -> bool:
    if kind == "state":
        return False
    if kind == "pair":
        return f"{flow.source} . {flow.target}" in match[1].split(", ")
    if kind == "protocol":
        return match[1] == flow.protocol
    if kind == "port":
        return match[1] == flow.protocol and any(_within(flow.port, one) for one in match[2].split(", "))
    among = any(ip_address(_end(match[1], flow)) in ip_network(one) for one in match[2].split(", "))
    return among != (kind == "outside")


def _within(port: int, text: str) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= port <= int(last or first)
