# SPDX-License-Identifier: MIT
"""A network of the tests' own: no packet leaves it, and nothing outside is changed.

This process moves into new namespaces and stays there, and what it starts is born there: so every
client runs as it was installed, against ports 53 and 443 and by its own resolv.conf.
"""

import pathlib

import unshared

RESOLVER = "192.0.2.53"             # what a sender has in its resolv.conf
AUTHORITY = "192.0.2.54"            # the name server of the zones
POWERDNS = "192.0.2.55"             # a name server with an HTTP API
POLICY_HOST = ("192.0.2.25", "2001:db8::25")
CUSTOMER_PROXY = "192.0.2.80"       # a customer's own web server

# Debian's AppArmor profile lets named work here and nowhere else.
NAMED_FOLDER = pathlib.Path("/var/cache/bind")


def enter(folder):
    """Moves this process into the network. Raises NotPermitted where the system forbids it."""
    unshared.unshare(has_mounts=True)
    for address in (RESOLVER, AUTHORITY, POWERDNS, CUSTOMER_PROXY, *POLICY_HOST):
        length = 128 if ":" in address else 32
        unshared.run("ip", "address", "add", f"{address}/{length}", "dev", "lo")
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
    unshared.run("mount", "--bind", str(resolv_conf), "/etc/resolv.conf")
    named_folder = folder / "named"
    named_folder.mkdir()
    unshared.run("mount", "--bind", str(named_folder), str(NAMED_FOLDER))
