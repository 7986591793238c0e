# SPDX-License-Identifier: MIT
"""Policy hosts of others: nginx, and a scripted server for what nginx cannot be made to do."""

import contextlib
import socket
import ssl
import threading

from network import NGINX, SCRIPTED
from processes import running

CONF = """\
daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr error;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    server_names_hash_bucket_size 128;
    ssl_ciphers DEFAULT:@SECLEVEL=0;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {servers}
}}
"""
SERVER = """\
    server {{
        {listen}
        server_name mta-sts.{domain};
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols {protocols};
        root {root};
        location = /.well-known/mta-sts.txt {{
            types {{}}
            {conditions}
            default_type {media_type};
            {directives}
        }}
    }}
"""
DEFAULT_SERVER = """\
    server {{
        {listen} default_server;
        {certificate}
        ssl_protocols {protocols};
        return 404;
    }}
"""
REJECTING = "ssl_reject_handshake on;"
PATH = ".well-known/mta-sts.txt"


class Site:
    """What nginx serves for a domain, at each of its addresses.

    others      what a host is shown that nginx does not have: "nothing", "certificate" or "policy"
    conditions  what nginx does with Range and If-None-Match
    """

    def __init__(self, body, *, directives="", media_type="text/plain", chain=None, addresses=NGINX,
                 protocols="TLSv1.2 TLSv1.3", others="nothing", options="ssl",
                 conditions="max_ranges 0; etag off; if_modified_since off;"):
        self.body, self.directives, self.media_type = body, directives, media_type
        self.chain, self.addresses, self.protocols = chain, addresses, protocols
        self.others, self.options, self.conditions = others, options, conditions


def _listen(address, options):
    return f"listen [{address}]:443 {options}" if ":" in address \
        else f"listen {address}:443 {options}"


def _default_servers(sites, certificate_of):
    """One for each address. The TLS versions of an address are those of its default server."""
    servers = {}
    for domain, site in sites:
        chain, key = certificate_of(domain, site.chain)
        certificate = REJECTING if site.others == "nothing" else \
            f"ssl_certificate {chain}; ssl_certificate_key {key};"
        for address in site.addresses if site.others != "policy" else ():
            servers.setdefault(address, DEFAULT_SERVER.format(
                listen=_listen(address, site.options), certificate=certificate,
                protocols=site.protocols))
    return "".join(servers.values())


def nginx(folder, sites, certificate_of):
    """Runs nginx with sites [(domain, Site)]; a domain may have several, at other addresses."""
    servers = _default_servers(sites, certificate_of)
    for i, (domain, site) in enumerate(sites):
        root = folder / f"{i}-{domain}"
        (root / PATH).parent.mkdir(parents=True)
        (root / PATH).write_bytes(site.body)
        chain, key = certificate_of(domain, site.chain)
        listen = " ".join(f"{_listen(address, site.options)};" for address in site.addresses)
        servers += SERVER.format(listen=listen, domain=domain, chain=chain, key=key,
                                 protocols=site.protocols, root=root, directives=site.directives,
                                 media_type=site.media_type, conditions=site.conditions)
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, servers=servers),
                                       encoding="ascii")
    first = sites[0][1].addresses[0]
    return running("nginx", "-p", folder, "-c", folder / "nginx.conf", log=folder / "nginx.log",
                   is_ready=lambda: socket.create_connection((first, 443), 1).close() or True)


class Scripted:
    """A TLS server whose answer, and when it comes, depend on the domain.

    scripts   {domain: function(connection, wait)}, which finds what came in connection.request; its
              attribute `alpn` lists the protocols to agree on, and with `answers_any_host` it is
              called whatever the Host header is
    requests  what came: [(the name in the handshake, bytes)]
    """

    def __init__(self, scripts, certificate_of):
        self.scripts, self.requests = scripts, []
        self._contexts = {}
        for domain, script in scripts.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(getattr(script, "alpn", ["http/1.1"]))
            context.load_cert_chain(*certificate_of(domain, None))
            self._contexts[f"mta-sts.{domain}"] = context
        self._default = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._default.sni_callback = self._choose
        self.has_ended = threading.Event()

    def _choose(self, connection, name, _):
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._contexts[name]
        connection.server_name = name
        return None

    def _answer(self, plain):
        with contextlib.suppress(OSError), \
                self._default.wrap_socket(plain, server_side=True) as connection:
            domain = connection.server_name.removeprefix("mta-sts.")
            script, connection.request = self.scripts[domain], connection.recv(65536)
            self.requests.append((connection.server_name, connection.request))
            if getattr(script, "answers_any_host", False) or \
                    f"\r\nHost: {connection.server_name}".encode() in connection.request:
                script(connection, self.has_ended.wait)
            else:
                connection.sendall(b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n")

    @contextlib.contextmanager
    def serving(self):
        with socket.create_server((SCRIPTED, 443), backlog=64) as listener:
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            yield self
            self.has_ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=self._answer, args=(plain,), daemon=True).start()


def response(body, *headers):
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/plain", f"Content-Length: {len(body)}",
             "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
