"""Host names: a marked block in the host's /etc/hosts, and the same names in the file CoreDNS serves.

The CoreDNS file (`run/hosts`) is the source; the block is rendered from it. What lies at the gateway has a
public address there, and the gateway's own on the host, which is its neighbour. The host also has names that
only private networks know (`run/hosts.private`). All change under a lock on /etc/hosts, so any number of
processes and sandboxes may publish at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from sandbox.config import Config
from sandbox.host import files
from sandbox.host.errors import HostError
from sandbox.network import addresses

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True)
class Block:
    """The marks around our lines, and what a line of ours looks like."""

    name: str
    network: IPv4Network

    @property
    def begin(self) -> str:
        return f"# BEGIN {self.name}: local Azure, removed by `sandbox down`"

    @property
    def end(self) -> str:
        return f"# END {self.name}"

    def owns(self, line: str) -> bool:
        address, _, name = line.partition(" ")
        try:
            return bool(name) and " " not in name and IPv4Address(address) in self.network
        except ValueError:
            return False


class HostNames:
    """The `Hosts` of `sandbox.services`."""

    def __init__(self, config: Config, etc_hosts: Path = Path("/etc/hosts")) -> None:
        self._gateway = config.gateway
        self._etc_hosts = etc_hosts
        self._names, self._preferred = names_file(config), config.run / "hosts.private"
        self._block = Block(config.netns, config.network)

    def publish(self, name: str, address: str | None = None) -> None:
        """Make `name` resolve to `address` (default: the gateway). A no-op when it does already."""
        self.publish_all({name: address or str(self._gateway)})

    def publish_all(self, names: dict[str, str]) -> None:
        """Publish names with their addresses in one write."""
        valid = {_check_name(name): self._check_address(address) for name, address in names.items()}
        with files.locked(self._etc_hosts):
            self._save({**self.published(), **valid})

    def withdraw(self, name: str) -> None:
        """Forget a name; a no-op when unknown."""
        with files.locked(self._etc_hosts):
            known = self.published()
            known.pop(_check_name(name), None)
            self._save(known)

    def prefer(self, names: Mapping[str, str]) -> None:
        """Make these names, and no others, resolve otherwise on the host than for the public."""
        valid = {_check_name(name): self._check_address(address) for name, address in names.items()}
        with files.locked(self._etc_hosts):
            if files.write_if_changed(self._preferred, _lines(valid)):
                self._write_block({**self.published(), **valid})

    def published(self) -> dict[str, str]:
        """Name -> address."""
        public, gateway = str(addresses.SERVICES), str(self._gateway)
        return {
            name: gateway if address == public else address for name, address in _read(self._names).items()
        }

    def remove_all(self) -> None:
        """Take the block out of /etc/hosts and forget every name."""
        with files.locked(self._etc_hosts):
            self._names.unlink(missing_ok=True)
            self._preferred.unlink(missing_ok=True)
            self._write_block({})

    def _check_address(self, address: str) -> str:
        try:
            inside = IPv4Address(address) in self._block.network
        except ValueError:
            inside = False
        if not inside:
            raise HostError(f"'{address}' is not an IPv4 address in {self._block.network}")
        return address

    def _save(self, names: dict[str, str]) -> None:
        public, gateway = str(addresses.SERVICES), str(self._gateway)
        served = {name: public if address == gateway else address for name, address in names.items()}
        files.write_if_changed(self._names, _lines(served))
        self._write_block({**names, **_read(self._preferred)})

    def _write_block(self, names: Mapping[str, str]) -> None:
        before = self._etc_hosts.read_text()
        after = replace_block(before, self._block, _lines(names).splitlines())
        if after != before:
            try:
                files.rewrite(self._etc_hosts, after)
            except OSError as error:
                raise HostError(
                    f"{self._etc_hosts} cannot be written ({error.strerror}); the sandbox's names are kept "
                    "there. Make it writable for root and run `sandbox up` again"
                ) from error


def names_file(config: Config) -> Path:
    """What CoreDNS reads, in the format of /etc/hosts."""
    return config.run / "hosts"


def _read(path: Path) -> dict[str, str]:
    rows = (line.split() for line in path.read_text().splitlines()) if path.is_file() else ()
    return {row[1]: row[0] for row in rows if len(row) == 2}


def _lines(names: Mapping[str, str]) -> str:
    return "".join(f"{address} {name}\n" for name, address in sorted(names.items()))


def replace_block(text: str, block: Block, lines: list[str]) -> str:
    """`text` with the marked block replaced (removed when there are no lines); the rest stays as it is."""
    rest = "".join(_without(text.splitlines(keepends=True), block))
    if not lines:
        return rest
    newline = "" if not rest or rest.endswith("\n") else "\n"
    return rest + newline + "".join(f"{line}\n" for line in [block.begin, *lines, block.end])


def _without(lines: list[str], block: Block) -> Iterator[str]:
    """A block that lost its end (a crash while writing in place) ends at the first line that is not ours."""
    bare = [line.rstrip("\n") for line in lines]
    at = 0
    while at < len(lines):
        if bare[at] != block.begin:
            yield lines[at]
            at += 1
            continue
        at += 1
        while at < len(lines) and block.owns(bare[at]):
            at += 1
        if at < len(lines) and bare[at] == block.end:
            at += 1


def _check_name(name: str) -> str:
    lowered = name.lower().rstrip(".")
    if not lowered or len(lowered) > 253 or not all(_LABEL.fullmatch(part) for part in lowered.split(".")):
        raise HostError(f"'{name}' is not a host name; names have labels of letters, digits and hyphens")
    return lowered
