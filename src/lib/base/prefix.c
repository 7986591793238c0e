/* SPDX-License-Identifier: MIT */
#include "lib/base/prefix.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    IPV4_BYTES = 4,
    IPV4_BITS = 32,
    IPV6_BITS = 128,
};

static const unsigned char mapped_start[PREFIX_BYTES - IPV4_BYTES] = {[10] = 0xff, [11] = 0xff};

int prefix_address_parse(int family, struct slice text, void *ret_bytes)
{
    char buffer[INET6_ADDRSTRLEN];

    if (text.len >= sizeof(buffer) || slice_find_byte(text, '\0') < text.len)
        return -1;
    snprintf(buffer, sizeof(buffer), "%.*s", SLICE_ARG(text));
    return inet_pton(family, buffer, ret_bytes) == 1 ? 0 : -1;
}

/* Returns the number of bits of an address of its family; 0: the text is no address. */
static unsigned prefix_parse_bytes(struct slice text, unsigned char bytes[PREFIX_BYTES])
{
    if (prefix_address_parse(AF_INET6, text, bytes) == 0)
        return IPV6_BITS;
    memcpy(bytes, mapped_start, sizeof(mapped_start));
    return prefix_address_parse(AF_INET, text, bytes + sizeof(mapped_start)) == 0 ? IPV4_BITS : 0;
}

/* The byte at this index of a mask that begins with n_bits ones. */
static unsigned char prefix_mask_byte(unsigned n_bits, unsigned index)
{
    unsigned n_before = 8 * index;
    unsigned n_here = n_bits > n_before ? n_bits - n_before : 0;

    return (unsigned char)(0xff00U >> (n_here < 8 ? n_here : 8));
}

static bool prefix_has_bits_after(const struct prefix *prefix)
{
    for (unsigned i = 0; i < PREFIX_BYTES; i++)
        if (prefix->bytes[i] & ~prefix_mask_byte(prefix->n_bits, i))
            return true;
    return false;
}

int prefix_parse(struct slice text, struct prefix *ret_prefix, struct err *err)
{
    size_t slash = slice_find_byte(text, '/');
    struct prefix prefix = {0};
    unsigned address_bits = prefix_parse_bytes(slice_range(text, 0, slash), prefix.bytes);
    uint64_t n_bits = address_bits;

    if (address_bits == 0 ||
        (slash < text.len &&
         slice_to_u64(slice_range(text, slash + 1, text.len), address_bits, &n_bits) != 0))
        return err_set(err, ERR_SYNTAX,
                       "is neither an address, as 192.0.2.1 is, nor a network, as 192.0.2.0/24 or "
                       "2001:db8::/32 is");
    prefix.n_bits = (unsigned)n_bits + (address_bits == IPV4_BITS ? IPV6_BITS - IPV4_BITS : 0);
    /* More likely a wrong length than a way of writing the prefix. */
    if (prefix_has_bits_after(&prefix))
        return err_set(err, ERR_SYNTAX, "is no network: there are bits behind the first %u",
                       (unsigned)n_bits);
    *ret_prefix = prefix;
    return 0;
}

static bool prefix_is_mapped(const unsigned char address[PREFIX_BYTES])
{
    return memcmp(address, mapped_start, sizeof(mapped_start)) == 0;
}

static bool prefix_of_socket(const struct sockaddr *address, unsigned char bytes[PREFIX_BYTES])
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family == AF_INET6) {
        memcpy(bytes, &v6->sin6_addr, PREFIX_BYTES);
        return true;
    }
    memcpy(bytes, mapped_start, sizeof(mapped_start));
    if (address->sa_family == AF_INET)
        memcpy(bytes + sizeof(mapped_start), &v4->sin_addr, IPV4_BYTES);
    return address->sa_family == AF_INET;
}

bool prefix_contains(const struct prefix *prefix, const struct sockaddr *address)
{
    unsigned char bytes[PREFIX_BYTES];

    if (!prefix_of_socket(address, bytes) ||
        prefix_is_mapped(bytes) != prefix_is_mapped(prefix->bytes))
        return false;
    for (unsigned i = 0; i < PREFIX_BYTES; i++)
        if ((bytes[i] & prefix_mask_byte(prefix->n_bits, i)) != prefix->bytes[i])
            return false;
    return true;
}
