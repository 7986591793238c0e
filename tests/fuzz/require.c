/* SPDX-License-Identifier: MIT */
#include "require.h"

#include <stdio.h>
#include <stdlib.h>

void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

void require_message(const struct err *err)
{
    require(err->code == ERR_SYNTAX || err->code == ERR_LIMIT, "an error has its code");
    require(err->msg[0] != '\0', "an error has a message");
    for (const char *byte = err->msg; *byte; byte++)
        require(*byte >= ' ' && *byte <= '~', "a message is printable ASCII");
}
