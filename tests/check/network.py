# SPDX-License-Identifier: MIT
"""A network of the tests' own, with addresses as the Internet has them: no packet leaves it.

Those of documentation, 192.0.2.0/24 and its like, are special to the check and not contacted.
"""

import unshared

ROOT_SERVER = "45.67.89.54"         # the root and all zones
SECOND_SERVER = "45.67.89.55"       # a second name server of some zones
DEAF_SERVER = "45.67.89.56"         # where no name server is
BROKEN_SERVER = "45.67.89.57"      # has what no name server should (broken_dns.py)
DAEMON = ("45.67.89.25", "2a0e:dead::25")
NGINX = ("45.67.89.30", "2a0e:dead::30")
OTHER_NGINX = "45.67.89.31"         # a second address, with another policy
OLD_NGINX = "45.67.89.32"           # TLS 1.1 only
SCRIPTED = "45.67.89.33"
CLOSED = "45.67.89.34"              # nothing listens
HOST = {n: f"45.67.88.{n}" for n in range(1, 40)}  # of a policy host that has an address for itself
MX = {n: f"45.67.89.{60 + n}" for n in range(1, 40)}


def pair_addresses(number):
    """Of the two hosts of a pair of MX hosts, which are counted from 0 to 9999."""
    return [f"45.67.{100 + number // 100}.{1 + 2 * (number % 100) + i}" for i in range(2)]


_NETWORKS = ("45.67.0.0/16", "2a0e:dead::/32")


def enter():
    """Moves this process there, with all that it starts. Raises NotPermitted if it may not."""
    unshared.unshare(has_mounts=True)
    unshared.take_addresses(*_NETWORKS)
