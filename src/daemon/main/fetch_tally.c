/* SPDX-License-Identifier: MIT */
#include "daemon/main/fetch_tally.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "daemon/worker/host.h"
#include "daemon/worker/log_record.h"
#include "lib/base/arena.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"
#include "lib/state/fetch_count.h"

#define HOST_PREFIX "mta-sts."
#define POLICY_PATH "/.well-known/mta-sts.txt"
#define UNKNOWN_PREFIX "-"

enum {
    PREFIX_TEXT_SIZE = INET6_ADDRSTRLEN + sizeof("/48"),
    PREFIX_BYTES_V4 = 3,
    PREFIX_BYTES_V6 = 6,
};

struct tally_count {
    UT_hash_handle hh; /* by `key` */
    uint64_t n;
    int64_t first_unix_s, last_unix_s;
    char prefix[PREFIX_TEXT_SIZE]; /* of the last one */
    char key[];                    /* the number of the sender as a byte, then the domain */
};

struct fetch_tally {
    struct tally_count *by_key;
    size_t n_max;
};

struct fetch_tally *fetch_tally_new(size_t n_max)
{
    struct fetch_tally *tally = memory_alloc(sizeof(*tally));

    *tally = (struct fetch_tally){.n_max = n_max};
    return tally;
}

void fetch_tally_free(struct fetch_tally *tally)
{
    struct tally_count *count, *next;

    if (!tally)
        return;
    count = tally->by_key;
    HASH_CLEAR(hh, tally->by_key); /* the table; the counts stay linked */
    for (; count; count = next) {
        next = count->hh.next;
        free(count);
    }
    free(tally);
}

/* Prints the network that an address belongs to: a peer's own address is not kept. */
static void prefix_print(struct slice address, char ret_text[PREFIX_TEXT_SIZE])
{
    unsigned char bytes[PREFIX_BYTES] = {0};
    bool is_v4 = prefix_address_parse(AF_INET, address, bytes) == 0;

    strcpy(ret_text, UNKNOWN_PREFIX);
    if (!is_v4 && prefix_address_parse(AF_INET6, address, bytes) != 0)
        return;
    memset(bytes + (is_v4 ? PREFIX_BYTES_V4 : PREFIX_BYTES_V6), 0,
           sizeof(bytes) - (is_v4 ? PREFIX_BYTES_V4 : PREFIX_BYTES_V6));
    inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, ret_text, INET6_ADDRSTRLEN);
    strcat(ret_text, is_v4 ? "/24" : "/48");
}

/* "192.0.2.1:25" or "[2001:db8::1]:25", as a record has it. */
static struct slice peer_address(struct slice peer)
{
    size_t len = peer.len;

    if (slice_starts_with(peer, "["))
        return slice_range(peer, 1, slice_find_byte(peer, ']'));
    while (len > 0 && peer.ptr[len - 1] != ':')
        len--;
    return slice_range(peer, 0, len > 0 ? len - 1 : peer.len);
}

static struct tally_count *tally_take(struct fetch_tally *tally, struct slice key)
{
    struct tally_count *count;

    HASH_FIND(hh, tally->by_key, key.ptr, key.len, count);
    if (count || HASH_COUNT(tally->by_key) >= tally->n_max)
        return count;
    count = memory_alloc(sizeof(*count) + key.len);
    *count = (struct tally_count){.n = 0};
    memcpy(count->key, key.ptr, key.len);
    HASH_ADD_KEYPTR(hh, tally->by_key, count->key, key.len, count);
    return count;
}

static bool record_is_fetch(const struct log_record *record, char ret_host[DNS_NAME_MAX + 1])
{
    return record->kind == LOG_RECORD_REQUEST && record->status == 200 &&
           strcmp(record->method, "GET") == 0 && strcmp(record->path, POLICY_PATH) == 0 &&
           host_parse(slice_of(record->server), ret_host) == 0 &&
           slice_starts_with(slice_of(ret_host), HOST_PREFIX);
}

void fetch_tally_add(struct fetch_tally *tally, const struct log_record *record)
{
    int64_t at_unix_s = record->at_unix_ms / 1000;
    char host[DNS_NAME_MAX + 1], *key;
    struct tally_count *count;

    if (!record_is_fetch(record, host))
        return;
    key = host + sizeof(HOST_PREFIX) - 2; /* the dot gives way to the sender */
    key[0] = (char)('a' + fetch_sender_of(slice_of(record->agent)));
    count = tally_take(tally, slice_of(key));
    if (!count)
        return;
    if (count->n++ == 0)
        count->first_unix_s = at_unix_s;
    count->last_unix_s = at_unix_s;
    prefix_print(peer_address(slice_of(record->peer)), count->prefix);
}

size_t fetch_tally_size(const struct fetch_tally *tally)
{
    return HASH_COUNT(tally->by_key);
}

void fetch_tally_print(const struct fetch_tally *tally, FILE *out)
{
    const struct tally_count *count;

    for (count = tally->by_key; count; count = count->hh.next)
        fetch_count_print(&(struct fetch_count){.domain = {count->key + 1, count->hh.keylen - 1},
                                                .sender = (enum fetch_sender)(count->key[0] - 'a'),
                                                .n = count->n,
                                                .first_unix_s = count->first_unix_s,
                                                .last_unix_s = count->last_unix_s,
                                                .prefix = slice_of(count->prefix)},
                          out);
}
