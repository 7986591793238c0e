# SPDX-License-Identifier: MIT
"""The servers that people use now, each told to serve what this one serves.

All answer the same host with the same body, by the host's own certificate, with one worker, no
access log and no session tickets; otherwise with the defaults of Debian's package.
"""

import json

from hosts import PATH, STANDARD, body_of, domain, is_overridden, policy_host
from servers import Server


class Nginx(Server):
    name = "nginx"
    package = "nginx-light"
    binary = "nginx"

    def configure(self):
        self.write("nginx.conf", f"""daemon off;
user root;
worker_processes 1;
pid {self.folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
access_log off;
default_type text/plain;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_tickets off;
server_names_hash_max_size 131072;
server_names_hash_bucket_size 128;
""", *map(self.server, range(self.hosts.n)), "}\n")

    def server(self, i):
        folder = f"{self.hosts.live}/{policy_host(i)}"
        text = body_of(i).replace("\r\n", "\\r\\n")
        return (f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {policy_host(i)};\n"
                f"ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem;\n"
                f'location = {PATH} {{ return 200 "{text}"; }} }}\n')

    def command(self):
        return ["nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"]


class Haproxy(Server):
    name = "haproxy"
    package = binary = "haproxy"

    def configure(self):
        self.write("standard.txt", STANDARD)
        own = [i for i in range(self.hosts.n) if is_overridden(i)]
        for i in own:
            self.write(f"{domain(i)}.txt", body_of(i))
        self.write("certificates", *(f"{self.hosts.live}/{policy_host(i)}/both.pem\n"
                                     for i in range(self.hosts.n)))
        self.write("policies", *(f"{policy_host(i)} {domain(i)}\n" for i in own))
        self.write("haproxy.cfg", f"""global
    nbthread 1
    maxconn 4000
    ssl-default-bind-options no-tls-tickets
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend policies
    bind 127.0.0.1:{self.port} ssl crt-list {self.folder}/certificates
    use_backend %[req.hdr(host),map_str({self.folder}/policies,standard)]
""", *map(self.backend, ["standard", *map(domain, own)]))

    def backend(self, name):
        return (f"backend {name}\n"
                f"    http-request return status 200 content-type text/plain "
                f"file {self.folder}/{name}.txt if {{ path {PATH} }}\n")

    def command(self):
        return ["haproxy", "-db", "-f", self.folder / "haproxy.cfg"]


class Caddy(Server):
    """Its cache of certificates is made to hold all that it is given: by default it drops some."""
    name = "caddy"
    package = binary = "caddy"

    def configure(self):
        certificates = [{"certificate": f"{self.hosts.live}/{host}/fullchain.pem",
                         "key": f"{self.hosts.live}/{host}/privkey.pem"}
                        for host in map(policy_host, range(self.hosts.n))]
        routes = [self.route(body_of(i), host=[policy_host(i)])
                  for i in range(self.hosts.n) if is_overridden(i)]
        server = {"listen": [f"127.0.0.1:{self.port}"], "automatic_https": {"disable": True},
                  "tls_connection_policies": [{}], "routes": [*routes, self.route(STANDARD)]}
        self.write("caddy.json", json.dumps({
            "admin": {"disabled": True}, "logging": {"logs": {"default": {"level": "ERROR"}}},
            "apps": {"tls": {"cache": {"capacity": 2 * self.hosts.n},
                             "session_tickets": {"disabled": True},
                             "certificates": {"load_files": certificates}},
                     "http": {"servers": {"policies": server}}}}))

    @staticmethod
    def route(text, **match):
        return {"match": [{"path": [PATH], **match}],
                "handle": [{"handler": "static_response", "body": text,
                            "headers": {"Content-Type": ["text/plain"]}}]}

    def command(self):
        return ["caddy", "run", "--config", self.folder / "caddy.json"]


class H2o(Server):
    """Without OCSP stapling, for which it would start a thread and a script a certificate."""
    name = "h2o"
    package = binary = "h2o"

    def configure(self):
        self.write("standard.txt", STANDARD)
        self.write("h2o.conf", "user: root\nnum-threads: 1\nssl-session-resumption: {mode: off}\n",
                   "hosts:\n", *map(self.host, range(self.hosts.n)))

    def host(self, i):
        host, text = policy_host(i), "standard.txt"
        if is_overridden(i):
            text = f"{domain(i)}.txt"
            self.write(text, body_of(i))
        return (f'  "{host}":\n'
                f"    listen: {{host: 127.0.0.1, port: {self.port}, ssl: "
                f"{{certificate-file: {self.hosts.live}/{host}/fullchain.pem, "
                f"key-file: {self.hosts.live}/{host}/privkey.pem, ocsp-update-interval: 0}}}}\n"
                f'    paths: {{"{PATH}": {{file.file: {self.folder}/{text}}}}}\n')

    def command(self):
        return ["h2o", "-c", self.folder / "h2o.conf"]


PEERS = {peer.name: peer for peer in [Nginx, Haproxy, Caddy, H2o]}
