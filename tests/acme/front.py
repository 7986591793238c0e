# SPDX-License-Identifier: MIT
"""A proxy before pebble that answers in its place where a test says so, or not at all."""

import contextlib
import http.client
import http.server
import json
import ssl
import threading

from names import FRONT, FRONT_NAME, PEBBLE

DIRECTORY = f"https://{FRONT_NAME}/dir"
NEW_ACCOUNT, NEW_ORDER = "/sign-me-up", "/order-plz"


@contextlib.contextmanager
def served_apart(server):
    """An HTTP server that answers by a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def problem(status, kind, detail, **headers):
    """An answer of a CA that refuses (RFC 8555 6.7)."""
    body = json.dumps({"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail,
                       "status": status}).encode()
    return status, {"Content-Type": "application/problem+json", "Replay-Nonce": "bm9uY2U",
                    **headers}, body


class Front:
    """rules  [(path, answer)]: what is asked for at paths that begin so is answered with this

    An answer may be a function of the handler, which returns one, or None if it has sent all itself.
    """

    def __init__(self, pki):
        live = pki.folder / "live" / FRONT_NAME
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(live / "fullchain.pem", live / "privkey.pem")
        self.behind = ssl.create_default_context(cafile=pki.ca)
        self.behind.check_hostname = False
        self.rules, self.asked = [], []

    def answer(self, handler):
        self.asked.append(handler.path)
        for path, answer in self.rules:
            if handler.path.startswith(path):
                return answer(handler) if callable(answer) else answer
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        pebble = http.client.HTTPSConnection(PEBBLE, 443, context=self.behind, timeout=30)
        pebble.request(handler.command, handler.path, body, dict(handler.headers))
        response = pebble.getresponse()
        headers = [(name, value) for name, value in response.getheaders()
                   if name.lower() not in ("transfer-encoding", "content-length", "connection")]
        return response.status, headers, response.read()

    def count(self, path):
        return sum(asked.startswith(path) for asked in self.asked)

    @contextlib.contextmanager
    def serving(self):
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def respond(self):
                answer = front.answer(self)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response_only(status)
                for name, value in headers.items() if isinstance(headers, dict) else headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = respond

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer((FRONT, 443), Handler) as server:
            server.socket = self.context.wrap_socket(server.socket, server_side=True)
            with served_apart(server):
                yield self
