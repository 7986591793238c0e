/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of a connection, given one more at a time: a header is incomplete up to one
 * length, and complete or refused from there on, whatever follows. What it says of the client makes
 * a header of each version that says the same.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "daemon/net/proxy_header.h"
#include "lib/base/slice.h"

#include "require.h"

enum {
    INPUT_MAX = PROXY_HEADER_MAX + 64,
    LINE_MAX_V1 = 107,
    HEAD_LEN_V2 = 16,
};

static bool is_v1(struct slice bytes)
{
    return slice_starts_with(bytes, "PROXY ");
}

static size_t total_len_v2(struct slice bytes)
{
    const uint8_t *head = (const uint8_t *)bytes.ptr;

    return HEAD_LEN_V2 + (size_t)head[14] * 256 + head[15];
}

static bool is_same_client(const union proxy_client *a, const union proxy_client *b)
{
    const void *bytes_a = a, *bytes_b = b;

    /* Every byte, so that none is left unset where an address is a short one. */
    return memcmp(bytes_a, bytes_b, sizeof(*a)) == 0;
}

static void require_parses_to(struct slice bytes, const union proxy_client *client)
{
    struct proxy_header header = proxy_header_parse(bytes);

    require(header.state == PROXY_HEADER_COMPLETE, "a header made of a client is complete");
    require(header.len == bytes.len, "it is one from end to end");
    require(is_same_client(&header.client, client), "it says the same of the client");
}

static void require_round_trip(const union proxy_client *client)
{
    bool is_v4 = client->any.sa_family == AF_INET;
    const void *address = is_v4 ? (const void *)&client->v4.sin_addr : &client->v6.sin6_addr;
    in_port_t port = is_v4 ? client->v4.sin_port : client->v6.sin6_port;
    size_t address_len = is_v4 ? 4 : 16;
    char bytes[256] = "\r\n\r\n\0\r\nQUIT\n\x21", host[INET6_ADDRSTRLEN];
    char *to = bytes + 13;

    *to++ = is_v4 ? 0x11 : 0x21;
    *to++ = 0;
    *to++ = (char)(2 * address_len + 4);
    to = mempcpy(to, address, address_len);
    to = mempcpy(to, address, address_len);
    to = mempcpy(to, &port, sizeof(port));
    to = mempcpy(to, &port, sizeof(port));
    require_parses_to((struct slice){bytes, (size_t)(to - bytes)}, client);

    inet_ntop(client->any.sa_family, address, host, sizeof(host));
    snprintf(bytes, sizeof(bytes), "PROXY TCP%c %s %s %u %u\r\n", is_v4 ? '4' : '6', host, host,
             ntohs(port), ntohs(port));
    require_parses_to(slice_of(bytes), client);
}

static void require_client(const union proxy_client *client)
{
    static const union proxy_client nobody = {.any.sa_family = AF_UNSPEC};
    union proxy_client known = {.any.sa_family = client->any.sa_family};

    if (client->any.sa_family == AF_UNSPEC) {
        require(is_same_client(client, &nobody), "a client that is not known has no address");
        return;
    }
    if (client->any.sa_family == AF_INET) {
        known.v4.sin_addr = client->v4.sin_addr;
        known.v4.sin_port = client->v4.sin_port;
    } else {
        require(client->any.sa_family == AF_INET6, "a client has a family");
        known.v6.sin6_addr = client->v6.sin6_addr;
        known.v6.sin6_port = client->v6.sin6_port;
    }
    require(is_same_client(client, &known), "an address has nothing but its bytes and a port");
    require_round_trip(client);
}

static void require_complete(const struct proxy_header *header, struct slice bytes)
{
    struct slice used = slice_range(bytes, 0, header->len);

    require(header->len == bytes.len, "a header is complete with its last byte");
    require(header->len <= PROXY_HEADER_MAX, "a header is within its cap");
    if (is_v1(bytes)) {
        require(header->len <= LINE_MAX_V1, "a line is within its cap");
        require(slice_ends_with(used, "\r\n"), "a line has its end");
        require(slice_find_byte(used, '\n') == used.len - 1, "a line is one line");
    } else {
        require(header->len == total_len_v2(bytes), "a header is as long as it says");
    }
    require_client(&header->client);
}

static void require_incomplete(struct slice bytes)
{
    char whole[PROXY_HEADER_MAX] = {0};

    require(bytes.len < (is_v1(bytes) ? LINE_MAX_V1 : PROXY_HEADER_MAX), "the wait has an end");
    if (is_v1(bytes) || bytes.len < HEAD_LEN_V2)
        return;
    memcpy(whole, bytes.ptr, bytes.len);
    require(proxy_header_parse((struct slice){whole, total_len_v2(bytes)}).state ==
                PROXY_HEADER_COMPLETE,
            "behind a good head, any bytes complete the header");
}

static void require_fault(const char *fault)
{
    require(fault && fault[0] != '\0', "a refusal says why");
    for (const char *byte = fault; *byte; byte++)
        require(*byte >= ' ' && *byte <= '~', "a refusal is printable ASCII");
}

static void require_follows(const struct proxy_header *before, const struct proxy_header *header,
                            struct slice bytes)
{
    if (before->state != PROXY_HEADER_INCOMPLETE) {
        require(header->state == before->state, "what is decided stays so");
        require(header->len == before->len, "the length stays");
        require(is_same_client(&header->client, &before->client), "the client stays");
    } else if (header->state == PROXY_HEADER_COMPLETE) {
        require_complete(header, bytes);
    } else if (header->state == PROXY_HEADER_INCOMPLETE) {
        require_incomplete(bytes);
    }
    if (header->state == PROXY_HEADER_REFUSED)
        require_fault(header->fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = {(const char *)data, size < INPUT_MAX ? size : INPUT_MAX};
    struct proxy_header before = {.state = PROXY_HEADER_INCOMPLETE};

    for (size_t len = 0; len <= all.len; len++) {
        struct slice bytes = slice_range(all, 0, len);
        struct proxy_header header = proxy_header_parse(bytes);

        require_follows(&before, &header, bytes);
        before = header;
    }
    return 0;
}
