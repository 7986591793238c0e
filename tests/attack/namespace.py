# SPDX-License-Identifier: MIT
"""A network of the tests' own, where a peer may have any address: no packet leaves it.

The daemon counts no connections of 127.0.0.0/8 and ::1 by source, so attackers come from elsewhere.
"""

import unshared

SERVER = "192.0.2.1"
FETCHER = "192.0.2.2"
ATTACKERS = [f"198.51.100.{i}" for i in range(1, 255)]
FETCHER_V6 = "2001:db8:f::1"
ATTACKER_V6 = "2001:db8:a::{:x}"  # all in one /64
SERVER_V6 = "2001:db8::1"

_NETWORKS = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]


def enter():
    """Moves this process there, with all that it starts. Raises NotPermitted if it may not."""
    unshared.unshare()
    unshared.take_addresses(*_NETWORKS)
