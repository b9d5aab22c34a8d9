"""`python -m sandbox.engine.language_host [--exec FILE] ENGINE`: serve until the engine ends us."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from sandbox.engine.failures import Interceptor
from sandbox.engine.language_host.launcher import NAME
from sandbox.engine.language_host.service import LanguageHost

#: Seconds between two looks at whether the engine still runs.
_PARENT_SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(prog=NAME, description="Runs Pulumi programs written in Python.")
    parser.add_argument("--exec", type=Path, required=True, help=f"the SDK's {NAME}-exec")
    parser.add_argument("engine", help="address of the engine that started this host")
    # The engine also hands on its own logging and tracing flags.
    options, _ = parser.parse_known_args()
    if not options.exec.exists():
        raise SystemExit(f"{NAME}: {options.exec} is missing; `make up` installs it with the toolchain")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    parent, stop = os.getppid(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = grpc.server(ThreadPoolExecutor(max_workers=32), interceptors=[Interceptor()])
    host = LanguageHost(executor=options.exec, engine=options.engine)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201
    # An engine that was killed outright ends nobody; its children then have another parent.
    while not stop.wait(_PARENT_SECONDS) and os.getppid() == parent:
        pass
    server.stop(grace=0.5).wait()


if __name__ == "__main__":
    main()
