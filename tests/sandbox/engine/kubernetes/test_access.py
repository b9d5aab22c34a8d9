"""Kubeconfigs and the credentials they lead to."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.engine.caller import Caller
from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import config
from sandbox.engine.kubernetes.credentials import Credentials
from sandbox.engine.kubernetes.kubeconfig import access, load

ONE = {
    "current-context": "one",
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one", "namespace": "apps"}}],
    "clusters": [
        {"name": "one", "cluster": {"server": "https://one.test/", "certificate-authority": "ca.pem"}}
    ],
    "users": [{"name": "one", "user": {"token": "t"}}],
}


def caller(folder: Path) -> Caller:
    return Caller(os.geteuid(), os.getegid(), folder, dict(os.environ))


def test_paths_are_the_engines_and_those_inside_are_the_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ca.pem").write_text("PEM")
    (tmp_path / "sub" / "config").write_text(json.dumps(ONE))
    found = access(load("sub/config", home=tmp_path, directory=tmp_path))
    assert (found.server, found.namespace, found.authority) == ("https://one.test", "apps", "PEM")


def test_several_files_are_merged_and_the_first_wins(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"current-context": "two"}))
    two = json.loads(json.dumps(ONE).replace("one", "two"))
    del two["clusters"][0]["cluster"]["certificate-authority"]
    (tmp_path / "b").write_text(json.dumps(two))
    found = access(load(f"a{os.pathsep}b", home=tmp_path, directory=tmp_path))
    assert found.server == "https://two.test"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"current-context": None}, "no current-context"),
        ({"current-context": "other"}, "no context 'other'; it has 'one'"),
        ({"clusters": []}, "no cluster 'one'; it has none"),
    ],
)
def test_what_is_missing_is_named(broken: dict, told: str) -> None:
    with pytest.raises(PlugError, match=told):
        access({**ONE, **broken})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlugError, match=r"cannot read the kubeconfig .*nowhere: No such file"):
        load("nowhere", home=tmp_path, directory=tmp_path)


def test_tokens_passwords_and_certificates(tmp_path: Path) -> None:
    def made(user: dict) -> str | None:
        return Credentials(user, "https://a", caller(tmp_path)).get().authorization

    assert made({"token": "t"}) == "Bearer t"
    assert made({"username": "u", "password": "p"}) == f"Basic {base64.b64encode(b'u:p').decode()}"
    (tmp_path / "token").write_text("f\n")
    assert made({"tokenFile": str(tmp_path / "token")}) == "Bearer f"


def plugin(folder: Path, expires: datetime) -> dict:
    """A plugin that counts how often it was run."""
    status = {"token": "T$(wc -l < count | tr -d ' ')", "expirationTimestamp": expires.isoformat()}
    answer = json.dumps({"kind": "ExecCredential", "status": status}).replace('"', r"\"")
    script = folder / "plugin"
    script.write_text(
        f'#!/bin/sh\ntest "$MODE" = on || {{ echo no mode >&2; exit 3; }}\necho >> count\necho "{answer}"\n'
    )
    script.chmod(0o755)
    return {"exec": {"command": str(script), "env": [{"name": "MODE", "value": "on"}]}}


def test_a_plugin_is_asked_once_until_its_credential_expires(tmp_path: Path) -> None:
    user = plugin(tmp_path, datetime.now(UTC) + timedelta(hours=1))
    found = Credentials(user, "https://a", caller(tmp_path))
    assert [found.get().authorization, found.get().authorization] == ["Bearer T1", "Bearer T1"]
    found.forget()
    assert found.get().authorization == "Bearer T2"
    stale = Credentials(plugin(tmp_path, datetime.now(UTC)), "https://a", caller(tmp_path))
    assert [stale.get().authorization, stale.get().authorization] == ["Bearer T3", "Bearer T4"]


def test_a_failing_plugin_says_why(tmp_path: Path) -> None:
    user = plugin(tmp_path, datetime.now(UTC))
    user["exec"]["env"] = []
    with pytest.raises(PlugError, match="failed: no mode"):
        Credentials(user, "https://a", caller(tmp_path)).get()
    absent = {"exec": {"command": "kubelogout", "installHint": "get it from the shelf"}}
    with pytest.raises(PlugError, match="'kubelogout' is not installed: get it from the shelf"):
        Credentials(absent, "https://a", caller(tmp_path)).get()


def test_only_another_cluster_replaces_everything() -> None:
    one, two = json.dumps(ONE), json.dumps(ONE).replace("one.test", "two.test")
    renewed = json.dumps({**ONE, "users": []})
    assert not config.moved({"kubeconfig": one}, {"kubeconfig": renewed})
    assert config.moved({"kubeconfig": one}, {"kubeconfig": two})
    kept = {"clusterIdentifier": "a"}
    assert not config.moved({"kubeconfig": one, **kept}, {"kubeconfig": two, **kept})
    assert config.moved({"kubeconfig": one, **kept}, {"kubeconfig": one, "clusterIdentifier": "b"})
