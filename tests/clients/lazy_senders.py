# SPDX-License-Identifier: MIT
"""Senders that look at nothing again until the policy that they hold has come to its end.

Usage: lazy_senders.py SOCKET...

RFC 8461 allows that, and nobody holds a policy longer. Each is postfix-mta-sts-resolver as it is
installed, at a socket of its own and with a cache of its own; one process saves starting many. It
ages what it holds by time.time(), so by the clock that the test moves; the event loop's clock is
monotonic, and only network deadlines go by it.
"""

import asyncio
import signal
import sys

from postfix_mta_sts_resolver import utils
from postfix_mta_sts_resolver.responder import STSSocketmapResponder

YEARS_S = 10 * 365 * 86400  # cache_grace: when DNS is asked again, if max_age does not end before


async def serve(sockets):
    loop = asyncio.get_running_loop()
    for path in sockets:
        settings = utils.populate_cfg_defaults(
            {"path": path, "cache_grace": YEARS_S, "zones": {"strict": {"strict_testing": True}}})
        cache = utils.create_cache(settings["cache"]["type"], settings["cache"]["options"])
        await cache.setup()
        await STSSocketmapResponder(settings, loop, cache).start()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
