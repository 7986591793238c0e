# SPDX-License-Identifier: MIT
"""A name server that has what a sound one refuses to load: a CNAME and other records at one name."""

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from network import BROKEN_SERVER

ZONES = {"cname-beside.example": [
    "@ SOA ns.servers.example. hostmaster.servers.example. 1 3600 600 86400 1",
    "@ NS broken.servers.example.",
    "_mta-sts CNAME _mta-sts.good.example.",
    '_mta-sts TXT "v=STSv1; id=1;"',
    "mta-sts A {host}",
    "@ MX 10 mx1.provider.example.",
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@provider.example"',
]}


def _rrsets(host):
    for zone, lines in ZONES.items():
        for line in lines:
            label, kind, data = line.format(host=host).split(None, 2)
            name = zone if label == "@" else f"{label}.{zone}"
            yield dns.rrset.from_text(f"{name}.", 60, "IN", kind, data)


def _answer(query, rrsets):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    question = query.question[0]
    there = [rrset for rrset in rrsets if rrset.name == question.name]
    reply.answer = [rrset for rrset in there
                    if rrset.rdtype in (question.rdtype, dns.rdatatype.CNAME)]
    if not there:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    if not reply.answer:
        reply.authority = [rrset for rrset in rrsets if rrset.rdtype == dns.rdatatype.SOA]
    return reply.to_wire()


def _serve(server, rrsets):
    with contextlib.suppress(OSError):
        while True:
            octets, client = server.recvfrom(4096)
            server.sendto(_answer(dns.message.from_wire(octets), rrsets), client)


@contextlib.contextmanager
def broken_server(host):
    """host  the address of the policy host"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((BROKEN_SERVER, 53))
        threading.Thread(target=_serve, args=(server, list(_rrsets(host))), daemon=True).start()
        yield
