"""`python ask_dns.py SERVER NAME`: print the address that a name server gives for a name.

Standard library only, because it runs where nothing else is installed."""

from __future__ import annotations

import socket
import struct
import sys


def ask(server: str, name: str) -> str:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.sendto(question, (server, 53))
        answer = asking.recv(512)
    if answer[3] & 0x0F or not struct.unpack("!H", answer[6:8])[0]:
        raise SystemExit(f"{name}: no answer (code {answer[3] & 0x0F})")
    return socket.inet_ntoa(answer[-4:])


if __name__ == "__main__":
    print(ask(*sys.argv[1:3]))  # noqa: T201
