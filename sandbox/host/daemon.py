"""supervisord, run in the sandbox's cgroup: `python -m sandbox.host.daemon CONFIG CGROUP`.

It joins the cgroup before it does anything else, so that whatever it starts can be found even after it was
killed itself.
"""

from __future__ import annotations

import sys

from supervisor import supervisord  # type: ignore[import-untyped]

from sandbox.host.cgroup import Cgroup


def main() -> None:
    config, cgroup = sys.argv[1:]
    Cgroup(cgroup).join()
    supervisord.main(["--nodaemon", "--configuration", config])


if __name__ == "__main__":
    main()
