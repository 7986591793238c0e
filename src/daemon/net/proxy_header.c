/* SPDX-License-Identifier: MIT */
/*
 * Version 1 (2.1), at most 107 bytes:
 *
 *   header    = "PROXY " ( known / unknown ) CRLF
 *   known     = ( "TCP4" / "TCP6" ) SP address SP address SP port SP port ; source first
 *   unknown   = "UNKNOWN" [ SP *any ]
 *
 * Version 2 (2.2): a signature of 12 bytes, a byte for version and command, one for family and
 * protocol, two for the length of the rest: the addresses and, of any number, additions.
 */
#include "daemon/net/proxy_header.h"

#include <string.h>

#include "lib/base/prefix.h"
#include "lib/base/slice.h"

enum {
    LINE_MAX_V1 = 107,
    HEAD_LEN_V2 = 16,
    COMMAND_LOCAL = 0x20, /* version 2 is the upper half */
    COMMAND_PROXY = 0x21,
};

static const struct slice start_v1 = {"PROXY ", 6};
static const struct slice start_v2 = {"\r\n\r\n\0\r\nQUIT\n", 12};
static const struct slice line_end = {"\r\n", 2};

enum line_field {
    FIELD_PROTOCOL,
    FIELD_SOURCE,
    FIELD_DESTINATION,
    FIELD_SOURCE_PORT,
    FIELD_DESTINATION_PORT,
    FIELD_COUNT,
};

/* The combinations of 2.2. Where the family is AF_UNSPEC, the addresses are ignored. */
static const struct combination {
    unsigned char byte;
    sa_family_t family;
    size_t addresses_len;
} combinations[] = {
    {0x00, AF_UNSPEC, 0},   /* unspecified */
    {0x11, AF_INET, 12},    /* TCP over IPv4 */
    {0x12, AF_UNSPEC, 12},  /* UDP over IPv4 */
    {0x21, AF_INET6, 36},   /* TCP over IPv6 */
    {0x22, AF_UNSPEC, 36},  /* UDP over IPv6 */
    {0x31, AF_UNSPEC, 216}, /* unix stream */
    {0x32, AF_UNSPEC, 216}, /* unix datagram */
};

/* Whether the bytes begin with `start`, or with a part of it. */
static bool proxy_header_may_start_with(struct slice bytes, struct slice start)
{
    return slice_eq(slice_range(bytes, 0, start.len), slice_range(start, 0, bytes.len));
}

static struct proxy_header proxy_header_incomplete(void)
{
    return (struct proxy_header){.state = PROXY_HEADER_INCOMPLETE};
}

static struct proxy_header proxy_header_refused(const char *fault)
{
    return (struct proxy_header){.state = PROXY_HEADER_REFUSED, .fault = fault};
}

/* address, port  in network order; ignored where the family is AF_UNSPEC */
static struct proxy_header proxy_header_complete(size_t len, sa_family_t family,
                                                 const void *address, in_port_t port)
{
    struct proxy_header header = {.state = PROXY_HEADER_COMPLETE, .len = len};

    header.client.any.sa_family = family;
    if (family == AF_INET) {
        header.client.v4.sin_port = port;
        memcpy(&header.client.v4.sin_addr, address, sizeof(header.client.v4.sin_addr));
    } else if (family == AF_INET6) {
        header.client.v6.sin6_port = port;
        memcpy(&header.client.v6.sin6_addr, address, sizeof(header.client.v6.sin6_addr));
    }
    return header;
}

/* Returns the number of fields; FIELD_COUNT + 1: there are too many. */
static size_t proxy_header_split_line(struct slice line, struct slice fields[FIELD_COUNT])
{
    for (size_t n_fields = 0; n_fields < FIELD_COUNT; n_fields++) {
        size_t space = slice_find_byte(line, ' ');

        fields[n_fields] = slice_range(line, 0, space);
        if (space == line.len)
            return n_fields + 1;
        line = slice_range(line, space + 1, line.len);
    }
    return FIELD_COUNT + 1;
}

static int proxy_header_parse_port(struct slice text, in_port_t *ret_port)
{
    uint64_t port;

    if ((text.len > 1 && text.ptr[0] == '0') || slice_to_u64(text, UINT16_MAX, &port) != 0)
        return -1;
    *ret_port = htons((uint16_t)port);
    return 0;
}

/* line  without its start and its end */
static struct proxy_header proxy_header_parse_line(struct slice line, size_t header_len)
{
    unsigned char source[PREFIX_BYTES], destination[PREFIX_BYTES];
    struct slice fields[FIELD_COUNT];
    size_t n_fields = proxy_header_split_line(line, fields);
    in_port_t source_port, destination_port;
    sa_family_t family = AF_UNSPEC;

    if (slice_eq_text(fields[FIELD_PROTOCOL], "UNKNOWN"))
        return proxy_header_complete(header_len, AF_UNSPEC, NULL, 0);
    if (slice_eq_text(fields[FIELD_PROTOCOL], "TCP4"))
        family = AF_INET;
    else if (slice_eq_text(fields[FIELD_PROTOCOL], "TCP6"))
        family = AF_INET6;
    if (family == AF_UNSPEC || n_fields != FIELD_COUNT)
        return proxy_header_refused("a line that is neither for TCP4, TCP6 nor UNKNOWN");
    if (prefix_address_parse(family, fields[FIELD_SOURCE], source) != 0 ||
        prefix_address_parse(family, fields[FIELD_DESTINATION], destination) != 0)
        return proxy_header_refused("a line with a bad address");
    if (proxy_header_parse_port(fields[FIELD_SOURCE_PORT], &source_port) != 0 ||
        proxy_header_parse_port(fields[FIELD_DESTINATION_PORT], &destination_port) != 0)
        return proxy_header_refused("a line with a bad port");
    return proxy_header_complete(header_len, family, source, source_port);
}

/* A line is not parsed before it is complete (2.1). */
static struct proxy_header proxy_header_parse_v1(struct slice bytes)
{
    struct slice room = slice_range(bytes, 0, LINE_MAX_V1);
    size_t len = 0;
    struct slice end;

    while (len < room.len && room.ptr[len] != '\r' && room.ptr[len] != '\n')
        len++;
    end = slice_range(room, len, len + line_end.len);
    if (slice_eq(end, line_end))
        return proxy_header_parse_line(slice_range(room, start_v1.len, len), len + line_end.len);
    if (!proxy_header_may_start_with(end, line_end))
        return proxy_header_refused("a line that does not end in CR LF");
    return room.len < LINE_MAX_V1 ? proxy_header_incomplete()
                                  : proxy_header_refused("a line of more than 107 bytes");
}

static const struct combination *combination_find(unsigned char byte)
{
    for (size_t i = 0; i < ARRAY_LEN(combinations); i++)
        if (combinations[i].byte == byte)
            return &combinations[i];
    return NULL;
}

/* address_len  of one of the two addresses; the ports are behind both */
static struct proxy_header proxy_header_complete_v2(const unsigned char *bytes, size_t len,
                                                    sa_family_t family)
{
    const unsigned char *addresses = bytes + HEAD_LEN_V2;
    size_t address_len = family == AF_INET ? 4 : 16;
    in_port_t port = 0;

    if (family != AF_UNSPEC)
        memcpy(&port, addresses + 2 * address_len, sizeof(port));
    return proxy_header_complete(len, family, addresses, port);
}

static struct proxy_header proxy_header_parse_v2(struct slice bytes)
{
    const unsigned char *head = (const unsigned char *)bytes.ptr;
    /* LOCAL names no client, whatever addresses follow it. */
    const struct combination *combination = &combinations[0];
    size_t len;

    if (bytes.len < HEAD_LEN_V2)
        return proxy_header_incomplete();
    len = HEAD_LEN_V2 + ((size_t)head[14] << 8 | head[15]);
    if (head[12] == COMMAND_PROXY)
        combination = combination_find(head[13]);
    else if (head[12] != COMMAND_LOCAL)
        return proxy_header_refused(
            "a version that is not 2, or a command that is neither LOCAL nor PROXY");
    if (!combination)
        return proxy_header_refused("an unknown address family or protocol");
    if (len - HEAD_LEN_V2 < combination->addresses_len)
        return proxy_header_refused("a header that is too short for its addresses");
    if (len > PROXY_HEADER_MAX)
        return proxy_header_refused("a header of more than 4096 bytes");
    return bytes.len < len ? proxy_header_incomplete()
                           : proxy_header_complete_v2(head, len, combination->family);
}

bool proxy_header_begins(struct slice bytes)
{
    return slice_eq(slice_range(bytes, 0, start_v1.len), start_v1) ||
           slice_eq(slice_range(bytes, 0, start_v2.len), start_v2);
}

struct proxy_header proxy_header_parse(struct slice bytes)
{
    if (proxy_header_may_start_with(bytes, start_v1))
        return proxy_header_parse_v1(bytes);
    if (proxy_header_may_start_with(bytes, start_v2))
        return proxy_header_parse_v2(bytes);
    return proxy_header_refused("no header");
}
