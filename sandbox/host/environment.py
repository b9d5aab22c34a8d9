"""The variables that point unmodified tools (pulumi, az, kubectl, curl, SDKs) at the sandbox."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.config import Config
from sandbox.host.errors import HostError
from sandbox.names import Names

#: Providers of ours: the engine's name for each, which is also the program's.
PLUGS = ("azure-native", "kubernetes", "command")
#: Of every Pulumi stack kept in the sandbox. Not a secret: what it guards is worthless elsewhere, and it must
#: outlive `reset`, because a stack's settings file in a checkout is bound to it.
_PASSPHRASE = "agents-sandbox"  # noqa: S105


def variables(config: Config, ports: Mapping[str, int]) -> dict[str, str]:
    """All but PATH. The deployer must exist (the server makes it when it first starts)."""
    names, deployer, bundle = Names(config.suffix), _deployer(config), str(config.ca_bundle)
    providers = ",".join(f"{plug}:{ports[plug]}" for plug in PLUGS if plug in ports)
    return {
        "PULUMI_DEBUG_PROVIDERS": providers,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_BACKEND_URL": backend_url(pulumi_folder(config)),
        "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
        "ARM_METADATA_HOSTNAME": names.management,
        "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
        "ARM_CLIENT_ID": deployer["clientId"],
        "ARM_CLIENT_SECRET": deployer["clientSecret"],
        "ARM_TENANT_ID": deployer["tenantId"],
        "ARM_SUBSCRIPTION_ID": deployer["subscriptionId"],
        "AZURE_CLIENT_ID": deployer["clientId"],
        "AZURE_CLIENT_SECRET": deployer["clientSecret"],
        "AZURE_TENANT_ID": deployer["tenantId"],
        "AZURE_SUBSCRIPTION_ID": deployer["subscriptionId"],
        "AZURE_AUTHORITY_HOST": f"https://{names.login}",
        "AZURE_CONFIG_DIR": str(azure_config_folder(config)),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        # kubelogin's: AKS's kubeconfigs ask for a device code, which a service principal cannot enter.
        "AAD_LOGIN_METHOD": "azurecli",
        "KUBECONFIG": str(user_folder(config) / "kubeconfig"),
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": bundle,
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": bundle,
    }


def exports(settings: Mapping[str, str], tools: Sequence[str]) -> str:
    """Lines for a POSIX shell, bash or zsh to evaluate, any number of times."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    front = shlex.quote(":".join(tools) + ":")
    lines.append(f'export PATH={front}"${{PATH#{front}}}"')
    return "\n".join(lines)


def user_folder(config: Config) -> Path:
    """What belongs to the invoking user: az's and kubectl's settings."""
    return config.state / "user"


def azure_config_folder(config: Config) -> Path:
    return user_folder(config) / "azure"


def pulumi_folder(config: Config) -> Path:
    return config.state / "pulumi"


def backend_url(folder: Path) -> str:
    """Of Pulumi's state in this folder.

    `metadata=skip`: else each write of a stack's state empties a file of attributes beside it and fills it
    again, and a program that reads its own stack's state at that moment is told EOF
    (https://pkg.go.dev/gocloud.dev/blob/fileblob). The state itself is renamed into place.
    """
    return f"file://{folder}?metadata=skip"


def deployer_file(config: Config) -> Path:
    return config.state / "deployer.json"


def _deployer(config: Config) -> dict[str, str]:
    try:
        deployer: dict[str, str] = json.loads(deployer_file(config).read_text())
    except (OSError, ValueError) as error:
        raise HostError(
            f"the deployer's credentials in {deployer_file(config)} cannot be read ({error}); "
            "`uv run sandbox logs azure` shows why the server did not write them"
        ) from error
    return deployer
