/* SPDX-License-Identifier: MIT */
#include "daemon/net/socket_hint.h"

#include <errno.h>
#include <stdio.h>

#include "lib/config/config.h"

enum {
    UNPRIVILEGED_PORT = 1024, /* the first that needs no privilege */
};

static const char *socket_hint_unix(int reason)
{
    switch (reason) {
    case ENOENT:
        return "; make its folder, and let the daemon's user write to it";
    case EACCES:
        return "; let the daemon's user write to its folder";
    case EADDRINUSE:
        return "; another program listens there, maybe another mta-stsd";
    case EEXIST:
        return "; a file that is no socket is there: remove it, or choose another path";
    default:
        return "";
    }
}

const char *socket_hint(const struct listen_address *address, int reason,
                        char ret_hint[SOCKET_HINT_MAX])
{
    ret_hint[0] = '\0';
    if (address->kind == LISTEN_UNIX)
        snprintf(ret_hint, SOCKET_HINT_MAX, "%s", socket_hint_unix(reason));
    else if (reason == EACCES && address->port < UNPRIVILEGED_PORT)
        snprintf(ret_hint, SOCKET_HINT_MAX,
                 "; ports below %d need root, or CAP_NET_BIND_SERVICE as the systemd unit gives it",
                 UNPRIVILEGED_PORT);
    else if (reason == EADDRNOTAVAIL)
        snprintf(ret_hint, SOCKET_HINT_MAX,
                 "; no interface of this machine has this address: 'ip address' lists those that "
                 "it has, and [::] is all of them");
    else if (reason == EADDRINUSE)
        snprintf(ret_hint, SOCKET_HINT_MAX,
                 "; another program listens on this port, maybe another mta-stsd: as root, 'ss "
                 "-ltnp sport = :%u' names it",
                 address->port);
    return ret_hint;
}
