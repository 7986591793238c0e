/* SPDX-License-Identifier: MIT */
#include "check/rdata.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"

/* Room is left for the four bytes of any octet. */
static size_t octet_print(unsigned char octet, char *out)
{
    if (octet > ' ' && octet < 0x7f && octet != '.' && octet != '\\') {
        *out = ascii_to_lower((char)octet);
        return 1;
    }
    return (size_t)sprintf(out, "\\%03u", (unsigned)octet);
}

int rdata_name(struct slice rdata, char ret_name[static RDATA_NAME_SIZE], struct slice *ret_rest)
{
    size_t at = 0, out = 0;

    for (;;) {
        size_t len = at < rdata.len ? (unsigned char)rdata.ptr[at] : SIZE_MAX;

        if (len > DNS_LABEL_MAX || at + 1 + len > rdata.len || at + len > DNS_NAME_MAX)
            return -1;
        at++;
        if (len == 0)
            break;
        if (out > 0)
            ret_name[out++] = '.';
        for (size_t end = at + len; at < end; at++)
            out += octet_print((unsigned char)rdata.ptr[at], ret_name + out);
    }
    if (out == 0)
        ret_name[out++] = '.';
    ret_name[out] = '\0';
    *ret_rest = slice_range(rdata, at, rdata.len);
    return 0;
}

int rdata_txt(struct slice rdata, struct arena *arena, struct slice *ret_text)
{
    char *text = arena_alloc(arena, rdata.len + 1);
    size_t len = 0;

    for (size_t at = 0; at < rdata.len;) {
        size_t string_len = (unsigned char)rdata.ptr[at++];

        if (at + string_len > rdata.len)
            return -1;
        memcpy(text + len, rdata.ptr + at, string_len);
        len += string_len;
        at += string_len;
    }
    *ret_text = (struct slice){text, len};
    return 0;
}

size_t rdata_txt_count(struct slice rdata)
{
    size_t n = 0;

    for (size_t at = 0; at < rdata.len; at += 1 + (unsigned char)rdata.ptr[at])
        n++;
    return n;
}

int rdata_mx(struct slice rdata, uint16_t *ret_preference, char ret_host[static RDATA_NAME_SIZE])
{
    struct slice rest;

    if (rdata.len < 2 || rdata_name(slice_range(rdata, 2, rdata.len), ret_host, &rest) != 0 ||
        rest.len > 0)
        return -1;
    *ret_preference = (uint16_t)((unsigned char)rdata.ptr[0] << 8 | (unsigned char)rdata.ptr[1]);
    return 0;
}

int rdata_address(struct slice rdata, uint16_t port, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret_address;

    *ret_address = (struct sockaddr_storage){0};
    if (rdata.len == sizeof(ipv4->sin_addr)) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        memcpy(&ipv4->sin_addr, rdata.ptr, rdata.len);
        return 0;
    }
    if (rdata.len == sizeof(ipv6->sin6_addr)) {
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        memcpy(&ipv6->sin6_addr, rdata.ptr, rdata.len);
        return 0;
    }
    return -1;
}
