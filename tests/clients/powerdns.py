# SPDX-License-Identifier: MIT
"""PowerDNS's authoritative server as Debian has it, on SQLite, with its HTTP API."""

import contextlib
import json
import pathlib
import signal
import sqlite3
import urllib.error
import urllib.request

from nameservers import ask, origin
from network import POWERDNS
from processes import DEADLINE_S, running

SCHEMA = pathlib.Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
ZONES_URL = f"http://{POWERDNS}:8081/api/v1/servers/localhost/zones"
CONFIGURATION = """\
launch=gsqlite3
gsqlite3-database={folder}/pdns.sqlite3
socket-dir={folder}
local-address={address}
api=yes
api-key=secret
webserver-address={address}
webserver-allow-from={address}
security-poll-suffix=
disable-axfr=no
allow-axfr-ips={address}
zone-cache-refresh-interval=0
cache-ttl=0
gsqlite3-pragma-synchronous=0
query-cache-ttl=0
negquery-cache-ttl=0
"""


class PowerDns:
    def __init__(self, folder):
        self.folder = folder

    @contextlib.contextmanager
    def serving(self):
        with contextlib.closing(sqlite3.connect(self.folder / "pdns.sqlite3")) as database:
            database.executescript(SCHEMA.read_text(encoding="ascii"))
        (self.folder / "pdns.conf").write_text(
            CONFIGURATION.format(folder=self.folder, address=POWERDNS), encoding="ascii")
        with running("pdns_server", f"--config-dir={self.folder}", "--daemon=no", "--guardian=no",
                     log=self.folder / "pdns.log", is_ready=lambda: ask(POWERDNS, ".", "SOA")[1],
                     status=-signal.SIGTERM):
            yield self

    @staticmethod
    def call(method, zone, body, status):
        """One request to the API, which has to answer with `status`; what it says."""
        url = ZONES_URL if method == "POST" else f"{ZONES_URL}/{origin(zone)}"
        request = urllib.request.Request(url, body.encode("ascii"), {"X-API-Key": "secret"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
                code, answer = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            code, answer = error.code, error.read().decode()
        assert code == status, answer
        return answer

    def make_zone(self, zone, **rrsets):
        """A zone with its name server and, by name and type, sets of one record each."""
        members = [{"name": f"{name}.{origin(zone)}", "type": kind, "ttl": 3600,
                    "records": [{"content": content, "disabled": False}]}
                   for name, (kind, content) in rrsets.items()]
        self.call("POST", zone, json.dumps({"name": origin(zone), "kind": "Native",
                                            "nameservers": ["ns.provider.example."],
                                            "rrsets": members}), 201)

    def drop_zone(self, zone):
        self.call("DELETE", zone, "", 204)
