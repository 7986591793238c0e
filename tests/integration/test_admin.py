# SPDX-License-Identifier: MIT
"""/healthz, /readyz and /metrics, and what is built on them in config/monitoring/."""

import contextlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

import daemon as harness
from client import connect, connect_tls, exchange, fetch, read_all, request, tls_context
from daemon import ROOT, write_configuration
from operated import HOST, configuration, operate_in_test, wait_until  # noqa: F401

MONITORING = ROOT / "config/monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="Debian's prometheus is not installed")


def promtool(*arguments, stdin=b""):
    process = subprocess.run([PROMTOOL, *map(str, arguments)], input=stdin, capture_output=True,
                             timeout=harness.PATIENCE_S, check=False)
    assert process.returncode == 0, (process.stdout + process.stderr).decode()
    return (process.stdout + process.stderr).decode()


@contextlib.contextmanager
def growth(daemon, *families):
    """Yields a function that tells by how much the samples of these families have grown."""
    before = daemon.metrics()

    def tell():
        now = daemon.metrics()
        return {name: now[name] - before[name] for name in now
                if name.split("{")[0] in families and now[name] != before[name]}

    yield tell


def test_health_and_readiness(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    for path, body in [("/healthz", b"alive\n"), ("/readyz", b"ready\n"),
                       ("/healthz?query", b"alive\n")]:
        answer = daemon.admin(path)
        assert (answer.status, answer.body) == (200, body)
        assert answer.header("connection") == "close"
        assert answer.header("content-type") == "text/plain; charset=utf-8"
        assert answer.header("server") is None
        head = daemon.admin(path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.header("content-length") == str(len(body))
    # The version is Prometheus' own: by it a scraper knows the format.
    assert daemon.admin("/metrics").header("content-type") == \
        "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("path, method, status", [
    ("/", "GET", 404),
    ("/metrics/", "GET", 404),
    ("/.well-known/mta-sts.txt", "GET", 404),
    ("/healthz", "POST", 405),
    ("/metrics", "DELETE", 405),
    ("/" + "x" * 5000, "GET", 404),
    ("*", "OPTIONS", 405),
])
def test_it_is_read_only(operate, pki, tmp_path, path, method, status):
    daemon = operate(configuration(pki, tmp_path))
    assert daemon.admin(path, method=method).status == status
    assert daemon.admin("/healthz").status == 200


def test_garbage(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    for sent in [b"\0" * 1000, b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                 b"GET / HTTP/9.9\r\n\r\n"]:
        with connect(daemon.admin_address) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                read_all(connection)
    assert daemon.admin("/readyz").status == 200


def test_not_ready_while_ending(operate, pki, tmp_path):
    """A load balancer is told first; whoever comes all the same is answered."""
    daemon = operate(configuration(pki, tmp_path, shutdown_delay="2s"))
    context = tls_context(pki)
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: daemon.admin("/readyz").status == 503, "not ready", 1.5)
    assert daemon.admin("/readyz").body == b"not ready\n"
    assert daemon.admin("/healthz").status == 200
    assert fetch(daemon.address, HOST, context).status == 200
    assert not daemon.log.find("shutting down, waiting for open connections")
    daemon.log.wait_for("shutting down, waiting for open connections")
    daemon.wait_for_end()
    with pytest.raises(OSError):
        connect(daemon.address)


def test_off(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, admin="off"))
    assert not daemon.log.find(r"\(admin\)")
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
    assert daemon.ask("--health").returncode == 0


def test_never_on_public_listeners(operate, pki, tmp_path):
    unix = str(tmp_path / "http.sock")
    daemon = operate(configuration(pki, tmp_path, listen=[
        {"address": "127.0.0.1:0"}, {"address": f"unix:{unix}", "tls": False}]))
    for path in ("/healthz", "/readyz", "/metrics"):
        assert fetch(daemon.address, HOST, tls_context(pki), path=path).status == 404
        connection = connect(unix)
        assert exchange(connection, request(HOST, path, headers=["Connection: close"])).status == 404


@pytest.fixture(name="default_port")
def take_default_port():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 9847))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        yield


def test_default_port_is_taken(operate, pki, tmp_path, default_port):
    """Nobody asked for it by name, so it costs nobody the policies."""
    del default_port
    settings = configuration(pki, tmp_path)
    del settings["admin"]
    daemon = operate(settings)
    daemon.log.wait_for("127.0.0.1:9847' cannot be opened: Address already in use; health and "
                        "metrics are not served")
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
    assert daemon.ask("--reload").returncode == 0


def test_named_port_is_taken(pki, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        config = write_configuration(tmp_path / "mta-stsd.yaml",
                                     configuration(pki, tmp_path, admin=address))
        process = harness.run("-c", config)
    assert process.returncode == 3
    assert f"admin: '{address}' cannot be opened: Address already in use" in \
        process.stderr.decode()


REQUESTS = [
    (request(HOST), "200"),
    (request(HOST, method="HEAD"), "200"),
    (request(HOST, "/"), "404"),
    (request(HOST, method="POST", headers=["Content-Length: 0"]), "405"),
    (request("mta-sts.example.org"), "421"),
    (request(None), "400"),  # ours
    (request(HOST, headers=["Host: other.example"]), "400"),
    (b"no request\r\n\r\n", "400"),  # h2o's own
    (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", "400"),
    (request(HOST, method="POST", headers=["Content-Length: 65537"]), "413"),
]


@pytest.mark.parametrize("sent, code", REQUESTS, ids=[f"{code}-{i}" for i, (_, code)
                                                      in enumerate(REQUESTS)])
def test_requests(operate, pki, tmp_path, sent, code):
    daemon = operate(configuration(pki, tmp_path))
    with growth(daemon, "http_requests_total") as tell:
        connection = connect_tls(daemon.address, HOST, tls_context(pki))
        assert exchange(connection, sent).status == int(code)
        wait_until(tell, "a request counted", 5)
        time.sleep(0.05)
        assert tell() == {f'http_requests_total{{code="{code}"}}': 1}


def shake_hands(daemon, pki, name):
    with contextlib.suppress(OSError):
        connect_tls(daemon.address, name, tls_context(pki if name else None)).close()


@pytest.mark.parametrize("act, result", [
    (lambda daemon, pki: fetch(daemon.address, HOST, tls_context(pki)), "ok"),
    (lambda daemon, pki: shake_hands(daemon, pki, HOST), "ok"),
    (lambda daemon, pki: shake_hands(daemon, pki, "mta-sts.other.example"), "unknown_name"),
    (lambda daemon, pki: shake_hands(daemon, pki, None), "unknown_name"),
    (lambda daemon, pki: shake_hands(daemon, pki, "mta-sts.bare.example"), "no_certificate"),
    (lambda daemon, pki: connect(daemon.address).close(), "failed"),
    (lambda daemon, pki: connect(daemon.address).sendall(request(HOST)), "failed"),
])
def test_handshakes(operate, pki, tmp_path, act, result):
    daemon = operate(configuration(pki, tmp_path, {
        "example.com": {"mx": ["mx.example.com"]}, "bare.example": {"mode": "none"}}))
    with growth(daemon, "tls_handshakes_total") as tell:
        act(daemon, pki)
        wait_until(tell, "a handshake counted", 10)
        assert tell() == {f'tls_handshakes_total{{result="{result}"}}': 1}


def test_old_version_is_a_failed_handshake(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    context = tls_context(pki)
    context.set_ciphers("AES128-SHA@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with growth(daemon, "tls_handshakes_total") as tell:
        with pytest.raises(OSError):
            connect_tls(daemon.address, HOST, context)
        wait_until(tell, "a handshake counted", 10)
        assert tell() == {'tls_handshakes_total{result="failed"}': 1}


def test_memory_of_connections(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, limits={"memory": "32M"}))
    assert daemon.metric("connections_memory_limit_bytes") == 32 << 20
    assert daemon.metric("connections_memory_bytes") == 0
    with connect_tls(daemon.address, HOST, tls_context(pki)):
        wait_until(lambda: 32_000 < daemon.metric("connections_memory_bytes") < 64_000, "held")
    wait_until(lambda: daemon.metric("connections_memory_bytes") == 0, "given back")
    daemon.change(configuration(pki, tmp_path, limits={"memory": "64M"}))
    assert daemon.metric("connections_memory_limit_bytes") == 64 << 20


def test_connections(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    context = tls_context(pki)

    def seen():
        metrics = daemon.metrics()
        return {name: value for name, value in metrics.items()
                if name.startswith(("connections_open", "connections_ended")) and value}

    assert seen() == {}
    connection = connect_tls(daemon.address, HOST, context)
    wait_until(lambda: seen() == {"connections_opened_total": 1, "connections_open": 1}, "open")
    exchange(connection, request(HOST))
    wait_until(lambda: seen() == {"connections_opened_total": 1,
                                  'connections_ended_total{reason="answered"}': 1}, "answered")
    connect_tls(daemon.address, HOST, context).close()
    wait_until(lambda: seen().get('connections_ended_total{reason="peer"}') == 1, "peer")
    silent = [connect(daemon.address), connect_tls(daemon.address, HOST, context)]
    wait_until(lambda: seen().get('connections_ended_total{reason="request_deadline"}') == 1 and
               seen().get('connections_ended_total{reason="handshake_deadline"}') == 1,
               "deadlines", 10)
    for connection in silent:
        connection.close()
    assert seen()["connections_opened_total"] == 4 and "connections_open" not in seen()


def test_reloads(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    started = daemon.metric("config_last_reload_success_timestamp_seconds")
    assert abs(started - time.time()) < 60
    assert daemon.metric("config_last_reload_successful") == 1
    daemon.change(configuration(pki, tmp_path))
    daemon.change(f"control: {tmp_path}/control.sock\ndomains: broken\n")
    metrics = daemon.metrics()
    assert metrics['config_reloads_total{result="good"}'] == 1
    assert metrics['config_reloads_total{result="refused"}'] == 1
    assert metrics["config_last_reload_successful"] == 0
    assert metrics["config_last_reload_success_timestamp_seconds"] >= started
    daemon.change(configuration(pki, tmp_path))
    assert daemon.metric("config_last_reload_successful") == 1


def test_domains(operate, pki, tmp_path):
    rua = {"tls_rpt": ["mailto:tls@example.com"]}
    daemon = operate(configuration(pki, tmp_path, {
        "a.example": {"mx": ["a.example"]}, "b.example": {"mx": ["a.example"], "mode": "testing"},
        "c.example": {"mx": ["a.example"], "mode": "enforce", **rua}, "d.example": {"mode": "none"},
        "e.example": {"mta_sts": False, **rua}}))

    def domains():
        return {name: value for name, value in daemon.metrics().items()
                if name.startswith("domains")}

    assert domains() == {'domains{mode="testing"}': 2, 'domains{mode="enforce"}': 1,
                         'domains{mode="none"}': 1}
    daemon.change(configuration(pki, tmp_path, {"d.example": {"mode": "none"}}), "--force")
    assert domains() == {'domains{mode="testing"}': 0, 'domains{mode="enforce"}': 0,
                         'domains{mode="none"}': 1}


def test_certificates(operate, pki, tmp_path):
    live = tmp_path / "live"
    kinds = {"good": {"days": 90}, "soon": {"days": 300}, "expired": {"days": -1}, "other": {}}
    for name, keys in kinds.items():
        host = f"mta-sts.{name}.example"
        pki.issue(live / host, "mta-sts.wrong.example" if name == "other" else host, **keys)
    (live / "mta-sts.garbage.example").mkdir()
    for file in ("chain.pem", "key.pem"):
        (live / "mta-sts.garbage.example" / file).write_text("garbage")
    domains = {f"{name}.example": {"mode": "none"} for name in [*kinds, "garbage", "missing"]}
    daemon = operate(configuration(pki, tmp_path, domains, certificates=[
        {"chain": f"{live}/{{host}}/chain.pem", "key": f"{live}/{{host}}/key.pem"}]))

    def states():
        return {name: value for name, value in daemon.metrics().items()
                if name.startswith("certificates{") and value}

    wait_until(states, "a scan")
    assert states() == {'certificates{state="ok"}': 2, 'certificates{state="expired"}': 1,
                        'certificates{state="name"}': 1, 'certificates{state="unreadable"}': 1,
                        'certificates{state="missing"}': 1}
    expiry = daemon.metric("certificate_earliest_not_after_timestamp_seconds")
    assert abs(expiry - (time.time() - 86400)) < 600  # the expired one's


def test_earliest_expiry_without_certificates(operate, pki, tmp_path):
    unix = str(tmp_path / "http.sock")
    settings = configuration(pki, tmp_path, listen=[{"address": f"unix:{unix}", "tls": False}])
    del settings["certificates"]
    daemon = operate(settings)
    assert daemon.metric("certificate_earliest_not_after_timestamp_seconds") == 0


def test_dropped_log_lines_are_there_from_the_start(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    assert daemon.metric("log_lines_dropped_total") == 0
    version = harness.run("--version").stdout.decode().split()[1]
    assert daemon.metric(f'build_info{{version="{version}"}}') == 1


def test_every_sample_is_there_from_the_start(operate, pki, tmp_path):
    """Rates and alerts need the zero before the one."""
    daemon = operate(configuration(pki, tmp_path))
    before = set(daemon.metrics())
    fetch(daemon.address, HOST, tls_context(pki))
    daemon.ask("--reload")
    assert set(daemon.metrics()) == before
    assert len(before) > 30


@needs_promtool
def test_promtool_takes_the_metrics(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    fetch(daemon.address, HOST, tls_context(pki))
    assert promtool("check", "metrics", stdin=daemon.admin("/metrics").body) == ""


@needs_promtool
def test_promtool_takes_the_rules():
    promtool("check", "rules", MONITORING / "alerts.yaml")
    promtool("test", "rules", MONITORING / "alerts.test.yaml")


def all_metrics(operate, pki, folder):
    """Those of a daemon that keeps a state, with what a check has left. No server is asked of that
    check's name."""
    (folder / "state").mkdir()
    harness.run("--check", "--no-smtp", "--metrics", folder / "state" / "check.metrics",
                "example.invalid")
    return operate(configuration(pki, folder, state=str(folder / "state"))).metrics()


@pytest.mark.parametrize("file", ["alerts.yaml", "alerts.test.yaml", "dashboard.json"])
def test_names_in_use_are_printed(operate, pki, tmp_path, file):
    """A renamed metric leaves no alert that never fires and no panel that stays empty."""
    text = (MONITORING / file).read_text()
    used = set(re.findall(r"mtasts_(\w+)", text))
    metrics = all_metrics(operate, pki, tmp_path)
    assert used and used <= {name.split("{")[0] for name in metrics}
    # Labels, as label="value", label=~"one|other" or label!="value".
    for name, labels in re.findall(r"mtasts_(\w+)\{([^}]*)\}", text.replace('\\"', '"')):
        for label, values in re.findall(r'(\w+)[=!]~?"([^"]*)"', labels):
            if label not in ("instance", "job"):
                for value in values.split("|"):
                    assert f'{name}{{{label}="{value}"}}' in metrics, f"{file}: {label}={value}"


def test_dashboard_shows_all(operate, pki, tmp_path):
    """A new metric gets a panel; that of the version lists the instances."""
    shown = set(re.findall(r"mtasts_(\w+)", (MONITORING / "dashboard.json").read_text()))
    assert {name.split("{")[0] for name in all_metrics(operate, pki, tmp_path)} == shown


def test_every_alert_is_tested():
    alerts = set(re.findall(r"alert: (\w+)", (MONITORING / "alerts.yaml").read_text()))
    assert alerts == set(re.findall(r"alertname: (\w+)", (MONITORING / "alerts.test.yaml").read_text()))


def test_dashboard_is_json():
    """No two panels have an id or a place in common."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    assert dashboard["title"] and dashboard["panels"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    cells = [(x, y) for place in (panel["gridPos"] for panel in dashboard["panels"])
             for x in range(place["x"], place["x"] + place["w"])
             for y in range(place["y"], place["y"] + place["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


@needs_promtool
def test_promtool_takes_the_panels(tmp_path):
    """Each expression, with values for Grafana's variables."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"]
                   for target in panel.get("targets", [])]
    rules = [{"record": f"panel:{number}", "expr": expression.replace(
        "$__rate_interval", "5m").replace("$instance", "a|b")}
             for number, expression in enumerate(expressions)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yaml")
