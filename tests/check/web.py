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
        ssl_ciphers DEFAULT:@SECLEVEL=0;
        root {root};
        location = /.well-known/mta-sts.txt {{
            types {{}}
            default_type {media_type};
            {directives}
        }}
    }}
"""
PATH = ".well-known/mta-sts.txt"


class Site:
    """What nginx serves for a domain, at each of its addresses."""

    def __init__(self, body, *, directives="", media_type="text/plain", chain=None, addresses=NGINX,
                 protocols="TLSv1.2 TLSv1.3"):
        self.body, self.directives, self.media_type = body, directives, media_type
        self.chain, self.addresses, self.protocols = chain, addresses, protocols


def _listen(address):
    return f"listen [{address}]:443 ssl;" if ":" in address else f"listen {address}:443 ssl;"


def nginx(folder, sites, certificate_of):
    """Runs nginx with sites [(domain, Site)]; a domain may have several, at other addresses."""
    servers = ""
    for i, (domain, site) in enumerate(sites):
        root = folder / f"{i}-{domain}"
        (root / PATH).parent.mkdir(parents=True)
        (root / PATH).write_bytes(site.body)
        chain, key = certificate_of(domain, site.chain)
        servers += SERVER.format(listen=" ".join(map(_listen, site.addresses)), domain=domain,
                                 chain=chain, key=key, protocols=site.protocols, root=root,
                                 directives=site.directives,
                                 media_type=site.media_type)
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, servers=servers),
                                       encoding="ascii")
    first = sites[0][1].addresses[0]
    return running("nginx", "-p", folder, "-c", folder / "nginx.conf", log=folder / "nginx.log",
                   is_ready=lambda: socket.create_connection((first, 443), 1).close() or True)


class Scripted:
    """A TLS server whose answer, and when it comes, depend on the domain."""

    def __init__(self, scripts, certificate_of):
        self.scripts = scripts  # {domain: function(connection)}
        self._contexts = {}
        for domain in scripts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
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
            connection.recv(65536)
            self.scripts[domain](connection, self.has_ended.wait)

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
