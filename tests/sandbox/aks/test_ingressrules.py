"""What Ingress objects come to."""

from __future__ import annotations

import pytest

from sandbox.aks.ingressrules import ANY_HOST, Site, endpoints, ours, sites
from tests.sandbox.aks.objects import endpoint_slice, ingress, service

SERVERS = {("default", "web", "80"): ["10.244.0.5:8080"], ("default", "web", "http"): ["10.244.0.5:8080"]}


def one(*objects: dict[str, object]) -> tuple[Site, list[str]]:
    found, problems = sites(objects, SERVERS)
    assert len(found) == 1
    return found[0], [problem.message for problem in problems]


def test_only_objects_of_the_class_are_served() -> None:
    assert ours(ingress())
    assert not ours(ingress(ingressClassName="nginx"))
    older = ingress(ingressClassName=None)
    assert not ours(older)
    older["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "webapprouting.kubernetes.azure.com"
    assert ours(older)


def test_ready_pods_are_known_by_port_name_and_number() -> None:
    found = endpoints(
        [endpoint_slice("10.0.0.2", "10.0.0.1"), endpoint_slice("10.0.0.3", ready=False),
         endpoint_slice("10.0.0.4", ready=None)],
        [service()],
    )  # fmt: skip
    pods = ["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.4:8080"]
    assert found == {("default", "web", "http"): pods, ("default", "web", "80"): pods}


def test_a_service_without_ready_pods_has_no_servers() -> None:
    assert endpoints([endpoint_slice("10.0.0.3", ready=False)], [service()])[("default", "web", "80")] == []


def test_paths_of_several_objects_meet_in_one_site() -> None:
    site, problems = one(ingress("a", ("/a", "Prefix")), ingress("b", ("/b", "Exact")))
    assert [(location.path, location.kind) for location in site.locations] == [
        ("/a", "prefix"),
        ("/b", "exact"),
    ]
    assert site.locations[0].servers == ("10.244.0.5:8080",)
    assert not problems


def test_of_two_that_claim_a_path_the_older_has_it() -> None:
    late = ingress(
        "late", ("/a", "Prefix"), notes={"proxy-read-timeout": "1"}, created="2026-02-01T00:00:00Z"
    )
    found, problems = sites([late, ingress("early", ("/a", "Prefix"))], SERVERS)
    assert [location.passing.read_timeout for location in found[0].locations] == [60]
    assert [problem.ingress["metadata"]["name"] for problem in problems] == ["late"]


def test_annotations_say_how_requests_are_passed_on() -> None:
    notes = {
        "proxy-connect-timeout": "3",
        "proxy-read-timeout": "120",
        "proxy-send-timeout": "121",
        "proxy-body-size": "8m",
        "proxy-buffering": "on",
        "proxy-request-buffering": "off",
        "proxy-next-upstream": "error timeout http_502",
        "proxy-next-upstream-tries": "1",
        "backend-protocol": "HTTPS",
        "upstream-vhost": "inner.test",
        "x-forwarded-prefix": "/a",
        "whitelist-source-range": "10.0.0.0/8, 192.168.1.1",
    }
    site, problems = one(ingress("a", ("/a", "Prefix"), notes=notes))
    passing = site.locations[0].passing
    assert (passing.connect_timeout, passing.read_timeout, passing.send_timeout) == (3, 120, 121)
    assert (passing.body_size, passing.buffering, passing.request_buffering) == ("8m", True, False)
    assert (passing.next_upstream, passing.tries, passing.scheme) == ("error timeout http_502", 1, "https")
    assert (passing.host, passing.forwarded_prefix) == ("inner.test", "/a")
    assert passing.allowed == ("10.0.0.0/8", "192.168.1.1/32")
    assert not problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("proxy-read-timeout", "1m"),
        ("proxy-body-size", "lots"),
        ("proxy-buffering", "maybe"),
        ("backend-protocol", "FCGI"),
        ("whitelist-source-range", "everyone"),
        ("upstream-vhost", 'a"; return 200'),
        ("rewrite-target", "/a\n}"),
        ("proxy-next-upstream", "error; deny all"),
    ],
)
def test_a_wrong_annotation_is_said_and_ignored(name: str, value: str) -> None:
    site, problems = one(ingress("a", ("/a", "Prefix"), notes={name: value}))
    assert len(problems) == 1
    assert name in problems[0]
    clean, _ = one(ingress("a", ("/a", "Prefix")))
    assert site.locations[0].passing == clean.locations[0].passing


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/\x00"])
def test_a_path_that_would_leave_its_quotes_is_left_out(path: str) -> None:
    found, problems = sites([ingress("a", (path, "Prefix"), ("/b", "Prefix"))], SERVERS)
    assert [location.path for location in found[0].locations] == ["/b"]
    assert len(problems) == 1


def test_regular_expressions_and_rewriting() -> None:
    site, _ = one(
        ingress("a", ("/x(/|$)(.*)", "ImplementationSpecific"), notes={"rewrite-target": "/$2"}),
        ingress("b", ("/y", "ImplementationSpecific")),
    )
    assert [location.kind for location in site.locations] == ["regex", "prefix"]
    assert site.locations[0].passing.rewrite == "/$2"


def test_tls_redirects_unless_told_not_to() -> None:
    site, _ = one(ingress("a", ("/", "Prefix"), tls="cert"))
    assert (site.tls, site.redirect, site.secret) == (True, True, ("default", "cert"))
    site, _ = one(ingress("a", ("/", "Prefix"), tls="cert", notes={"ssl-redirect": "false"}))
    assert (site.tls, site.redirect) == (True, False)
    site, _ = one(ingress("a", ("/", "Prefix")))
    assert (site.tls, site.redirect, site.secret) == (False, False, None)
    site, _ = one(ingress("a", ("/", "Prefix"), notes={"force-ssl-redirect": "true"}))
    assert site.redirect


def test_rules_without_host_and_default_backends_catch_the_rest() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    site, _ = one(ingress("a", ("/a", "Prefix"), host=None, defaultBackend=backend))
    assert site.host == ANY_HOST
    assert [location.path for location in site.locations] == ["/a", "/"]
    site, _ = one(ingress("a", defaultBackend=backend))
    assert (site.host, [location.path for location in site.locations]) == (ANY_HOST, ["/"])
