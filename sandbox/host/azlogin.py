"""The Azure CLI's own session: the sandbox's cloud registered, the deployer signed in.

It lies in a folder of its own (`AZURE_CONFIG_DIR`), so a user's sessions on Azure stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.config import Config, invoking_user
from sandbox.host import environment, files
from sandbox.host.errors import HostError
from sandbox.names import Names

CLOUD = "AgentsSandbox"
_MARK = "signed-in"
_SECONDS = 180


def cloud(config: Config) -> dict[str, object]:
    """What `az cloud register` is told; the rest follows from the metadata endpoint's shape."""
    names = Names(config.suffix)
    login, manager = f"https://{names.login}", f"https://{names.management}"
    return {
        "name": CLOUD,
        "endpoints": {
            "management": manager,
            "resourceManager": manager,
            "activeDirectory": login,
            "activeDirectoryResourceId": manager,
            "activeDirectoryGraphResourceId": f"https://{names.graph}",
            "microsoftGraphResourceId": f"https://{names.graph}",
            "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        },
        "suffixes": {
            "keyvaultDns": f".{names.service('vault')}",
            "storageEndpoint": names.service("storage"),
            "sqlServerHostname": f".{names.service('database')}",
            "acrLoginServerEndpoint": f".{names.service('azurecr')}",
        },
    }


def sign_in(config: Config, az: Path, variables: Mapping[str, str]) -> None:
    """Repeatable, and quick when nothing changed. Raises HostError with az's own words."""
    folder = environment.azure_config_folder(config)
    identity = sorted((name, value) for name, value in variables.items() if name.startswith("ARM_"))
    wanted = hashlib.sha256(json.dumps([cloud(config), identity]).encode()).hexdigest()
    mark = folder / _MARK
    if mark.is_file() and mark.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment.user_folder(config).chmod(0o700)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as description:
        json.dump(cloud(config), description)
        description.flush()
        _az(az, variables, "cloud", "register", "--name", CLOUD, "--cloud-config", f"@{description.name}")
    _az(az, variables, "cloud", "set", "--name", CLOUD)
    _az(
        az,
        variables,
        *("login", "--service-principal", "--tenant", variables["ARM_TENANT_ID"]),
        *("--username", variables["ARM_CLIENT_ID"], f"--password={variables['ARM_CLIENT_SECRET']}"),
    )
    files.write(mark, wanted)
    give_to_user(environment.user_folder(config))


def give_to_user(folder: Path) -> None:
    """Make the invoking user the owner of a folder, if it exists, and of all in it."""
    owner = invoking_user()
    for path in (folder, *folder.rglob("*")) if folder.exists() else ():
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _az(az: Path, variables: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [str(az), *arguments, "--only-show-errors", "--output", "none"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise HostError(f"`az {arguments[0]}` failed: {(done.stderr or done.stdout).strip()}")
