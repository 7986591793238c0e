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

static const unsigned char mapped[NETWORK_BYTES - IPV4_BYTES] = {[10] = 0xff, [11] = 0xff};

int network_address_parse(int family, struct slice text, void *ret_bytes)
{
    char buffer[INET6_ADDRSTRLEN];

    if (text.len >= sizeof(buffer) || slice_find_byte(text, '\0') < text.len)
        return -1;
    snprintf(buffer, sizeof(buffer), "%.*s", SLICE_ARG(text));
    return inet_pton(family, buffer, ret_bytes) == 1 ? 0 : -1;
}

/* Returns the number of bits that the address has in its own notation; 0: it is none. */
static unsigned parse_address(struct slice text, unsigned char prefix[NETWORK_BYTES])
{
    if (network_address_parse(AF_INET6, text, prefix) == 0)
        return IPV6_BITS;
    memcpy(prefix, mapped, sizeof(mapped));
    return network_address_parse(AF_INET, text, prefix + sizeof(mapped)) == 0 ? IPV4_BITS : 0;
}

/* The byte at this index of a mask that begins with n_bits ones. */
static unsigned char mask_byte(unsigned n_bits, unsigned index)
{
    unsigned n_before = 8 * index;
    unsigned n_here = n_bits > n_before ? n_bits - n_before : 0;

    return (unsigned char)(0xff00U >> (n_here < 8 ? n_here : 8));
}

static bool has_bits_behind(const struct network *network)
{
    for (unsigned i = 0; i < NETWORK_BYTES; i++)
        if (network->prefix[i] & ~mask_byte(network->n_bits, i))
            return true;
    return false;
}

int network_parse(struct slice text, struct network *ret_network, struct err *err)
{
    size_t slash = slice_find_byte(text, '/');
    struct network network = {0};
    unsigned address_bits = parse_address(slice_range(text, 0, slash), network.prefix);
    uint64_t n_bits = address_bits;

    if (address_bits == 0 ||
        (slash < text.len &&
         slice_to_u64(slice_range(text, slash + 1, text.len), address_bits, &n_bits) != 0))
        return err_set(err, ERR_SYNTAX,
                       "is neither an address, as 192.0.2.1 is, nor a network, as 192.0.2.0/24 or "
                       "2001:db8::/32 is");
    network.n_bits = (unsigned)n_bits + (address_bits == IPV4_BITS ? IPV6_BITS - IPV4_BITS : 0);
    /* More likely a slip in the length than a way of writing the network. */
    if (has_bits_behind(&network))
        return err_set(err, ERR_SYNTAX, "is no network: there are bits behind the first %u",
                       (unsigned)n_bits);
    *ret_network = network;
    return 0;
}

static bool is_mapped(const unsigned char address[NETWORK_BYTES])
{
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static bool read_socket_address(const struct sockaddr *address, unsigned char bytes[NETWORK_BYTES])
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family == AF_INET6) {
        memcpy(bytes, &v6->sin6_addr, NETWORK_BYTES);
        return true;
    }
    memcpy(bytes, mapped, sizeof(mapped));
    if (address->sa_family == AF_INET)
        memcpy(bytes + sizeof(mapped), &v4->sin_addr, IPV4_BYTES);
    return address->sa_family == AF_INET;
}

bool network_contains(const struct network *network, const struct sockaddr *address)
{
    unsigned char bytes[NETWORK_BYTES];

    if (!read_socket_address(address, bytes) || is_mapped(bytes) != is_mapped(network->prefix))
        return false;
    for (unsigned i = 0; i < NETWORK_BYTES; i++)
        if ((bytes[i] & mask_byte(network->n_bits, i)) != network->prefix[i])
            return false;
    return true;
}
