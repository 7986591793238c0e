/* SPDX-License-Identifier: MIT */
#include "check/special_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"

struct special_row {
    const char *prefix, *kind;
};

/* What reaches an IPv4 address through a translator is judged by that address: prefixes of NAT64
 * and 6to4 are special as a whole, since no mail or policy host needs them. */
static const struct special_row special_rows[] = {
    {"0.0.0.0/8", "an address of no host"},
    {"10.0.0.0/8", "a private address"},
    {"100.64.0.0/10", "an address inside a provider's network"},
    {"127.0.0.0/8", "a loopback address"},
    {"169.254.0.0/16", "a link-local address"},
    {"172.16.0.0/12", "a private address"},
    {"192.0.0.0/24", "a reserved address"},
    {"192.0.2.0/24", "an address for documentation"},
    {"192.88.99.0/24", "a reserved address"},
    {"192.168.0.0/16", "a private address"},
    {"198.18.0.0/15", "an address for benchmarks"},
    {"198.51.100.0/24", "an address for documentation"},
    {"203.0.113.0/24", "an address for documentation"},
    {"224.0.0.0/4", "a multicast address"},
    {"240.0.0.0/4", "a reserved address"},
    {"64:ff9b::/32", "an address of a translator"},
    {"::/8", "a reserved address"},
    {"100::/8", "a reserved address"},
    {"2001::/23", "a reserved address"},
    {"2001:db8::/32", "an address for documentation"},
    {"2002::/16", "an address of a tunnel"},
    {"3fff::/20", "an address for documentation"},
    {"5f00::/16", "a reserved address"},
    {"fc00::/7", "a private address"},
    {"fe80::/10", "a link-local address"},
    {"fec0::/10", "a private address"},
    {"ff00::/8", "a multicast address"},
};

const char *special_address_kind(const struct sockaddr *address)
{
    struct prefix prefix;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(special_rows); i++)
        if (prefix_parse(slice_of(special_rows[i].prefix), &prefix, &err) == 0 &&
            prefix_contains(&prefix, address))
            return special_rows[i].kind;
    return NULL;
}

const char *special_address_prefix(size_t nth)
{
    return nth < ARRAY_LEN(special_rows) ? special_rows[nth].prefix : NULL;
}

const char *special_address_text(const struct sockaddr *address,
                                 char buffer[static ADDRESS_TEXT_SIZE])
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)address;

    if (!inet_ntop(address->sa_family,
                   address->sa_family == AF_INET ? (const void *)&ipv4->sin_addr
                                                 : (const void *)&ipv6->sin6_addr,
                   buffer, ADDRESS_TEXT_SIZE))
        snprintf(buffer, ADDRESS_TEXT_SIZE, "(no address)");
    return buffer;
}
