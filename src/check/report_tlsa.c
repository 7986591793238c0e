/* SPDX-License-Identifier: MIT */
#include "check/report_tlsa.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "check/domain_check.h"
#include "check/report.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"

enum {
    TLSA_TTL_S = 3600, /* short enough for a certificate that has to be replaced in haste */
};

struct printed_host {
    const char *name;
    UT_hash_handle hh;
};

struct tlsa_report {
    struct arena *arena;
    struct printed_host *hosts;
    size_t n_keyless;
};

struct tlsa_report *tlsa_report_new(void)
{
    struct tlsa_report *state = memory_alloc(sizeof(*state));

    *state = (struct tlsa_report){.arena = arena_new(0)};
    return state;
}

void tlsa_report_free(struct tlsa_report *state)
{
    if (state == NULL)
        return;
    HASH_CLEAR(hh, state->hosts);
    arena_free(state->arena);
    free(state);
}

size_t tlsa_report_keyless(const struct tlsa_report *state)
{
    return state->n_keyless;
}

/* MX hosts are shared: each is printed for the first domain that has it. */
static bool tlsa_report_begin_host(struct tlsa_report *state, const char *name)
{
    struct printed_host *host;

    HASH_FIND_STR(state->hosts, name, host);
    if (host)
        return false;
    host = arena_alloc(state->arena, sizeof(*host));
    host->name = arena_copy(state->arena, slice_of(name));
    HASH_ADD_KEYPTR(hh, state->hosts, host->name, strlen(host->name), host);
    return true;
}

static void tlsa_report_print_host(struct tlsa_report *state, const struct mx_record *mx, FILE *out)
{
    if (mx->n_keys == 0) {
        fprintf(out, "; %s has shown no certificate\n", mx->host);
        state->n_keyless++;
        return;
    }
    if (!mx->is_secure)
        fprintf(out, "; no sender uses these before DNSSEC secures %s\n", mx->host);
    for (size_t i = 0; i < mx->n_keys; i++) {
        fprintf(out, "_25._tcp.%s. %d IN TLSA 3 1 1 ", mx->host, TLSA_TTL_S);
        for (size_t j = 0; j < sizeof(mx->keys[i].sha256); j++)
            fprintf(out, "%02x", mx->keys[i].sha256[j]);
        fputc('\n', out);
    }
}

static void tlsa_report_begin(struct report *report)
{
    (void)report;
}

static void tlsa_report_domain(struct report *report, const struct domain_report *domain)
{
    for (size_t i = 0; i < domain->n_mx; i++)
        if (tlsa_report_begin_host(report->state, domain->mx[i].host))
            tlsa_report_print_host(report->state, &domain->mx[i], report->out);
}

static void tlsa_report_end(struct report *report)
{
    (void)report;
}

const struct report_format report_tlsa = {tlsa_report_begin, tlsa_report_domain, tlsa_report_end};
