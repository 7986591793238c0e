# SPDX-License-Identifier: MIT
"""What servers of strangers do that mean harm: scripts for policy hosts and MX hosts, and zones.

A script of a policy host gets the connection within TLS; a raw one, and one of an MX host, all of
the connection. Those that never end do so when the connection does.
"""

import contextlib
import gzip
import ssl
import struct
import subprocess
import threading

from mail import hear, say
from odd_certificates import ODD
from scenarios import policy
from web import response

BODY, HOSTS_BODY = policy("*.mail.example"), policy("*.hosts.example")
MEGABYTE = 1024 * 1024
_RECORD = struct.Struct("!BHH")
_TLS12 = 0x0303


def sending(octets):
    """What comes as one piece, with nothing after it."""
    def script(connection, _):
        connection.sendall(octets)
    return script


def sending_forever(begin, again):
    def script(connection, wait):
        connection.sendall(begin)
        while not wait(0):
            connection.sendall(again)
    return script


def head(*lines):
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/plain", *lines, ""]).encode()


def encoded(octets, header):
    """Like response(), as it is sent."""
    return head(f"{header}: gzip", "Connection: close", "") + octets


BOMB = gzip.compress(b"\0" * (64 * MEGABYTE))
MX_LINES = b"".join(b"mx: m%05d.example\r\n" % i for i in range(3200))

# Of policy hosts: {name: (script, codes)}
WEB = {
    "headers-endless": (sending_forever(head(), b"X-Header: value\r\n" * 500), {"http-broken"}),
    "header-endless": (sending_forever(head() + b"X-Header: ", b"x" * 9000), {"http-broken"}),
    "headers-1mb": (sending(head(*(f"X-{i}: {'x' * 100}" for i in range(10000)), "")),
                    {"http-broken"}),
    "header-1mb": (sending(head("X: " + "x" * MEGABYTE, "")), {"http-broken"}),
    "interim-1000": (sending(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 1000 + response(BODY)),
                     set()),
    "interim-endless": (sending_forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
                        {"http-broken"}),
    "body-endless": (sending_forever(head(""), b"extension: value\r\n" * 500),
                     {"body-too-large"}),
    "body-of-mx": (sending(response(BODY + MX_LINES)), {"body-large", "mx-pattern-unused"}),
    "body-of-fields": (sending(response(BODY + b"mxx: a\r\n" * 7000)), {"body-large", "policy-field"}),
    "body-odd": (sending(response(f"version: {ODD}\r\n".encode())), {"policy-syntax"}),
    "chunks-odd": (sending(head("Transfer-Encoding: chunked", "") + b"\x1b[2Jzz\r\n"),
                   {"http-broken"}),
    "chunk-huge": (sending_forever(head("Transfer-Encoding: chunked", "") + b"7fffffffffffffff\r\n",
                                   b"x" * 9000), {"body-too-large"}),
    "chunk-extension": (sending_forever(head("Transfer-Encoding: chunked", "") + b"5;",
                                        b"x" * 9000), {"http-broken"}),
    "chunks-tiny": (sending_forever(head("Transfer-Encoding: chunked", ""), b"1\r\nx\r\n" * 900),
                    {"body-too-large"}),
    "trailers-endless": (sending_forever(head("Transfer-Encoding: chunked", "") + b"0\r\n",
                                         b"X-Header: value\r\n" * 500), {"http-broken"}),
    "bomb": (sending(encoded(BOMB, "Content-Encoding")),
             {"http-encoded", "body-large", "policy-syntax"}),
    "bomb-transfer": (sending(encoded(BOMB, "Transfer-Encoding")), {"body-too-large"}),
    "length-huge": (sending(head("Content-Length: 99999999999999999999999", "") + BODY), set()),
    "length-long": (sending(head("Content-Length: 999999999", "") + BODY), {"http-broken"}),
    "length-negative": (sending(head("Content-Length: -1", "") + BODY), {"http-broken"}),
    "length-two": (sending(head("Content-Length: 10", "Content-Length: 9999", "") + BODY),
                   {"http-broken"}),
    "type-odd": (sending(response(BODY).replace(b"text/plain", ODD.encode() + b"\0" * 300)),
                 {"http-broken"}),
    "type-escape": (sending(response(BODY).replace(b"text/plain", ODD.encode() * 50)),
                    {"http-type"}),
    "redirect-odd": (sending(b"HTTP/1.1 302 " + ODD.encode() + b"\r\nLocation: https://" +
                             ODD.encode() * 50 + b"/\r\nContent-Length: 0\r\n\r\n"),
                     {"http-redirect"}),
    "status-odd": (sending(b"HTTP/1.1 \x1b[2J OK\r\n\r\n"), {"http-broken"}),
    "status-long": (sending_forever(b"HTTP/1.1 200 ", b"OK" * 4000), {"http-broken"}),
    "no-http": (sending_forever(b"", ODD.encode() * 100), {"http-broken"}),
}

# The same, by what is odd about the certificate.
WEB_CERTIFICATES = {"many-names": {"tls-refused"}, "odd-names": {"cert-name", "cert-chain"},
                    "long-chain": set(), "huge-key": set()}


def record(kind, octets):
    return _RECORD.pack(kind, _TLS12, len(octets)) + octets


def handshake_forever(connection, wait):
    """HelloRequests, which a client passes over while it waits for the ServerHello."""
    connection.recv(4096)
    while not wait(0):
        connection.sendall(record(22, bytes(16000)))


def alerts_forever(connection, wait):
    """Warnings that no name is known."""
    connection.recv(4096)
    while not wait(0):
        connection.sendall(record(21, b"\1\x70") * 1000)


def garbage_forever(connection, wait):
    connection.recv(4096)
    while not wait(0):
        connection.sendall(ODD.encode() * 100)


def giant_message(connection, wait):
    """A ServerHello of 16 MB."""
    connection.recv(4096)
    connection.sendall(record(22, b"\2\xff\xff\xff" + bytes(16000)))
    while not wait(0):
        connection.sendall(record(22, bytes(16000)))


def tickets(chain, key):
    """Session tickets after the handshake, more than anybody wants."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.num_tickets = 100_000

    def script(connection, wait):
        context.wrap_socket(connection, server_side=True)
        wait(60)
    return script


RAW = {"tls-hellos": (handshake_forever, {"tls-refused"}),
       "tls-alerts": (alerts_forever, {"tls-refused"}),
       "tls-garbage": (garbage_forever, {"tls-refused"}),
       "tls-giant": (giant_message, {"tls-refused"}),
       "tls-tickets": (None, {"http-broken"})}  # needs a certificate


class Renegotiating:
    """openssl s_server, which renegotiates again and again and serves nothing."""

    def __init__(self, address, chain, key):
        self.command = ["openssl", "s_server", "-tls1_2", "-accept", f"{address}:443", "-cert",
                        chain, "-cert_chain", chain, "-key", key]
        self.has_ended, self.is_connected = threading.Event(), threading.Event()
        self.process = None
        self.n_orders = 0

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for target in (self._watch, self._order):
            threading.Thread(target=target, daemon=True).start()
        return self

    def _watch(self):
        for line in self.process.stdout:
            if line.startswith(b"CIPHER is"):
                self.is_connected.set()
            elif line.startswith(b"ACCEPT"):
                self.is_connected.clear()

    def _order(self):
        with contextlib.suppress(OSError):
            while not self.has_ended.wait(0.01):
                if self.is_connected.wait(0.1):
                    self.process.stdin.write(b"R\n")
                    self.n_orders += 1

    def __exit__(self, *_):
        self.has_ended.set()
        self.process.kill()
        self.process.wait()


def greeting(connection, host):
    say(connection, f"220 {host}")
    hear(connection)


def before_tls(connection, host):
    greeting(connection, host)
    say(connection, f"250-{host}", "250 STARTTLS")
    hear(connection)


def saying(octets):
    """Instead of a greeting."""
    def script(connection, _, wait):
        connection.sendall(octets)
        wait(60)
    return script


def saying_forever(octets):
    def script(connection, _, wait):
        while not wait(0):
            connection.sendall(octets)
    return script


def flood_instead_of_handshake(connection, host, wait):
    before_tls(connection, host)
    say(connection, "220 go ahead")
    hear_hello = connection.recv(4096)
    assert hear_hello
    for _ in range(10):
        connection.sendall(ODD.encode() * (MEGABYTE // len(ODD)))
    wait(60)


def flood_after_reply(connection, host, _):
    before_tls(connection, host)
    connection.sendall(b"220 go ahead\r\n" + b"x" * (10 * MEGABYTE))


def keywords(connection, host, wait):
    greeting(connection, host)
    say(connection, f"250-{host}", *(f"250-KEYWORD{i}" for i in range(10000)), "250 STARTTLS")
    wait(60)


def odd_keywords(connection, host, wait):
    greeting(connection, host)
    say(connection, f"250-{host}", f"250-{ODD}", f"250 STARTTLS\0{ODD}")
    wait(60)


def odd_refusal(connection, host, wait):
    before_tls(connection, host)
    say(connection, f"454-{ODD * 40}", f"454 {ODD}")
    wait(60)


def inside_handshake(raw):
    def script(connection, host, wait):
        before_tls(connection, host)
        say(connection, "220 go ahead")
        raw(connection, wait)
    return script


FAREWELL = b"221-bye\r\n" * 1000


def farewell_forever(context_of, sent):
    """Everything is well until QUIT; `sent` gets how many octets each connection took."""
    def script(connection, host, wait):
        before_tls(connection, host)
        say(connection, "220 go ahead")
        with context_of().wrap_socket(connection, server_side=True) as secured:
            hear(secured)
            sent.append(0)
            while not wait(0):
                secured.sendall(FAREWELL)
                sent[-1] += len(FAREWELL)
    return script


SMTP = {
    "banner-odd": (saying(f"554 {ODD}\r\n".encode()), {"smtp-refuses-us"}),
    "banner-nul": (saying(b"220 \0\0\0\r\n\0"), {"smtp-broken"}),
    "banner-other": (saying(f"{ODD}\r\n".encode()), {"smtp-broken"}),
    "line-endless": (saying(b"220 " + b"x" * MEGABYTE), {"smtp-broken"}),
    "lines-100000": (saying(b"220-x\r\n" * 100_000), {"smtp-broken"}),
    "codes-endless": (saying_forever(b"220 a\r\n" * 1000), {"smtp-broken"}),
    "flood-handshake": (flood_instead_of_handshake, {"starttls-failed"}),
    "flood-reply": (flood_after_reply, {"starttls-plaintext"}),
    "keywords-10000": (keywords, {"smtp-broken"}),
    "keywords-odd": (odd_keywords, {"starttls-missing"}),
    "refusal-odd": (odd_refusal, {"starttls-refused"}),
    **{f"mx-{name}": (inside_handshake(script), {"starttls-failed"})
       for name, (script, _) in RAW.items() if script},
    "farewell": (None, set()),  # needs a certificate
}

# "huge-prime": of the key exchange, which needs a certificate with RSA.
MX_CERTIFICATES = {"huge-prime": {"starttls-failed"}, "many-names": {"starttls-failed"}, "odd-names": {"mx-cert-name", "mx-cert-chain"},
                   "long-chain": set(), "huge-key": set()}

# A label with a dot, a quote, a backslash, escape sequences and a NUL in it, as zone files have it.
ODD_LABEL = r"a\046b\034c\092d\027\0912J\007\000\255"


def addresses(label, n):
    """A records of addresses where nothing listens."""
    return [f"{label} A 45.67.{200 + i // 250}.{1 + i % 250}" for i in range(n)]


# The records of a domain beside, or instead of, the usual ones: {name: (lines, codes)}
DNS = {
    "odd-mx": ([f"@ MX 10 {ODD_LABEL}.hosts.example."], {"mx-cert-name"}),
    "odd-cname": ([f"_mta-sts CNAME {ODD_LABEL}.hosts.example."], {"txt-cname-dangling"}),
    "odd-host": ([f"mta-sts CNAME {ODD_LABEL}.nowhere.example."], {"host-missing"}),
    "odd-txt": ([r'_mta-sts TXT "v=STSv1; id=\027[2J\000;"'], {"txt-syntax"}),
    "odd-rua": ([r'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:\027[2J@\000.example"'],
                {"tls-rpt-syntax"}),
    "long-txt": (["_mta-sts TXT " + " ".join([f'"{"x" * 255}"'] * 250)], {"txt-missing"}),
    "long-id": (['_mta-sts TXT "v=STSv1; id=" ' + " ".join([f'"{"x" * 255}"'] * 250)],
                {"txt-syntax"}),
    "txt-2000": ([f'_mta-sts TXT "v=STSv1; id={i};"' for i in range(2000)], {"txt-several"}),
    "mx-1000": ([f"@ MX {i + 1} x{i}.gone.hosts.example." for i in range(1000)],
                {"too-many-records", "mx-all-elsewhere", "mx-near-miss", "mx-host-missing"}),
    "addresses-1000": (["@ MX 10 many.hosts.example."],
                       {"smtp-untried", "smtp-unreachable"}),
    "hosts-1000": (addresses("mta-sts", 1000), {"too-many-records", "host-unreachable"}),
    "tlsa-800": (["@ MX 10 tlsa.hosts.example."], {"too-many-records", "mx-cert-name", "tlsa-mismatch"}),
    "loop-record": (["_mta-sts CNAME a", "a CNAME b", "b CNAME a"], {"txt-failed"}),
    "loop-host": (["mta-sts CNAME a", "a CNAME b", "b CNAME a"], {"host-failed"}),
    "loop-mx": (["@ MX 10 loop.hosts.example."], {"mx-host-failed"}),
    "ns-1000": ([f"@ NS n{i}" for i in range(1000)] + [f"n{i} A 45.67.89.54" for i in range(1000)],
                {"too-many-records"}),
    "rua-100": (["_smtp._tls TXT " + " ".join(
        ['"v=TLSRPTv1; rua="', *(f'"mailto:r@h{i}.example,"' for i in range(100)),
         '"mailto:reports@provider.example"'])], {"too-many-records", "rua-no-mx"}),
    "private-mx": ([f"@ MX 10 {kind}.private.hosts.example." for kind in ("a", "b", "c", "d", "e")],
                   {"address-special", "mx-all-elsewhere", "mx-near-miss"}),
    "private-host": (["mta-sts A 127.0.0.1", "mta-sts AAAA ::1"], {"address-special"}),
    "private-rua": (['_smtp._tls TXT "v=TLSRPTv1; rua=https://internal.hosts.example/"'],
                    set()),
}

# Of hosts.example, where the MX hosts of these domains are.
HOSTS = [
    *addresses("many", 1000), "loop CNAME loop2", "loop2 CNAME loop",
    "a.private A 127.0.0.1", "b.private A 10.0.0.1", "c.private AAAA ::ffff:127.0.0.1",
    "d.private A 169.254.169.254", "e.private AAAA ::1", "internal A 127.0.0.1",
]


def records_of(name, host, own=()):
    """The usual records but for those that `own` has at the same label."""
    usual = ['_mta-sts TXT "v=STSv1; id=1;"', f"mta-sts A {host}", "@ MX 10 mx1.mail.example.",
             '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@provider.example"']
    taken = {(line.split()[0], line.split()[1] == "MX") for line in own}
    return [line for line in usual
            if (line.split()[0], line.split()[1] == "MX") not in taken] + list(own)
