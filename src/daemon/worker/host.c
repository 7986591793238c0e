/* SPDX-License-Identifier: MIT */
#include "daemon/worker/host.h"

#include "lib/base/err.h"
#include "lib/base/slice.h"

/* Peers send A-labels. libidn2 might take anything else for another name than the peer does. */
static bool host_is_ascii(struct slice host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!ascii_is_alnum(host.ptr[i]) && host.ptr[i] != '-' && host.ptr[i] != '.')
            return false;
    return true;
}

int host_parse(struct slice text, char ret_host[DNS_NAME_MAX + 1])
{
    size_t colon = slice_find_byte(text, ':');
    struct slice host = slice_range(text, 0, colon);
    struct slice port = slice_range(text, colon + 1, text.len);
    uint64_t number;
    struct err err;

    if (port.len > 0 && slice_to_u64(port, UINT16_MAX, &number) != 0)
        return -1;
    return host_is_ascii(host) ? dns_name_parse(host, ret_host, NULL, &err) : -1;
}
