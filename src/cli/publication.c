/* SPDX-License-Identifier: MIT */
#include "cli/publication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/slice.h"
#include "cli/mode.h"
#include "cli/served.h"
#include "config/config.h"
#include "config/wish.h"
#include "dns/name.h"
#include "tls/certificate.h"
#include "tls/store.h"

enum {
    UNSERVED_NAMED = 20, /* ids named one by one */
};

struct making {
    const struct publication_choice *choice;
    struct publication *publication;
    struct dns_record *records; /* in the order of the domains */
    size_t n_records, records_size;
};

static const char *find_certificate_reason(const struct making *making, const struct domain *domain)
{
    char host[sizeof(DNS_PREFIX_POLICY_HOST) + DNS_NAME_MAX];
    struct cert_state state;
    char reason[sizeof(host) + sizeof(state.message) + 64];

    snprintf(host, sizeof(host), "%s%s", DNS_PREFIX_POLICY_HOST, domain->name);
    cert_store_check(making->choice->store, host, &state);
    if (state.certificate) {
        certificate_unref(state.certificate);
        return NULL;
    }
    snprintf(reason, sizeof(reason), "no certificate for %s yet: %s", host, state.message);
    return arena_copy(making->publication->arena, slice_of(reason));
}

/* Whether a daemon runs that does not serve this policy yet. */
static bool is_unserved(const struct making *making, const struct domain *domain)
{
    const struct served *served = making->choice->served;

    if (!served || served_has(served, domain->name, domain->document->id))
        return false;
    if (making->publication->n_unserved++ < UNSERVED_NAMED)
        fprintf(stderr,
                "mta-stsd: %s: the running daemon does not serve id %s yet; publish it after "
                "--reload\n",
                domain->name, domain->document->id);
    return true;
}

/* Why the domain's id must not be published yet; NULL: publish it. */
static const char *find_reason(const struct making *making, const struct domain *domain)
{
    if (!domain->document)
        return NULL;
    if (is_unserved(making, domain) && making->choice->is_served_only)
        return "the running daemon does not serve this policy yet";
    /* Allowed, it is served elsewhere: by the customer's own reverse proxy (RFC 8461 8.2). */
    if (!making->choice->store || (domain->allow & finding_bit(FINDING_CERTIFICATE_MISSING)))
        return NULL;
    return find_certificate_reason(making, domain);
}

static void add_records(struct making *making, const struct domain *domain)
{
    const struct publication_choice *choice = making->choice;
    struct dns_wish wish = dns_wish_make(choice->config, domain, find_reason(making, domain));
    struct dns_record *records;
    size_t n = dns_records_list(&wish, making->publication->arena, &records);

    for (size_t i = 0; i < n; i++) {
        if (choice->side != SIDE_COUNT && records[i].side != choice->side)
            continue;
        if (making->n_records == making->records_size) {
            making->records_size = making->records_size * 2 + 64;
            making->records =
                memory_resize(making->records, making->records_size, sizeof(*making->records));
        }
        making->publication->n_withheld += records[i].withheld != NULL;
        making->records[making->n_records++] = records[i];
    }
}

static int compare_domains(const void *left, const void *right)
{
    const struct domain *a = *(const struct domain *const *)left;
    const struct domain *b = *(const struct domain *const *)right;

    return strcmp(a->name, b->name);
}

/* The domains named, each once and in the order of the configuration. */
static enum exit_status add_named(struct making *making)
{
    const struct publication_choice *choice = making->choice;
    const struct domain **domains =
        arena_array(making->publication->arena, choice->n_domains, sizeof(*domains));

    for (size_t i = 0; i < choice->n_domains; i++) {
        domains[i] = cli_find_domain(choice->config, choice->domains[i]);
        if (!domains[i])
            return STATUS_USAGE;
    }
    qsort(domains, choice->n_domains, sizeof(*domains), compare_domains);
    for (size_t i = 0; i < choice->n_domains; i++)
        if (i == 0 || domains[i] != domains[i - 1])
            add_records(making, domains[i]);
    return STATUS_GOOD;
}

static enum exit_status add_all(struct making *making)
{
    const struct config *config = making->choice->config;

    for (size_t i = 0; i < config->n_domains; i++)
        add_records(making, &config->domains[i]);
    return STATUS_GOOD;
}

/* By zone, and within one as they were added: the elements are pointers into one array. */
static int compare_records(const void *left, const void *right)
{
    const struct dns_record *a = *(struct dns_record *const *)left;
    const struct dns_record *b = *(struct dns_record *const *)right;
    int order = strcmp(a->zone, b->zone);

    return order != 0 ? order : (a > b) - (a < b);
}

static void sort_records(const struct making *making)
{
    struct publication *publication = making->publication;
    size_t n = making->n_records;
    const struct dns_record **order = arena_array(publication->arena, n, sizeof(*order));

    publication->records = arena_array(publication->arena, n, sizeof(*publication->records));
    publication->n_records = n;
    for (size_t i = 0; i < n; i++)
        order[i] = &making->records[i];
    qsort(order, n, sizeof(*order), compare_records);
    for (size_t i = 0; i < n; i++)
        publication->records[i] = *order[i];
}

enum exit_status publication_make(const struct publication_choice *choice,
                                  struct publication *ret_publication)
{
    struct making making = {.choice = choice, .publication = ret_publication};
    enum exit_status status;

    *ret_publication = (struct publication){.arena = arena_new(0)};
    status = choice->n_domains > 0 ? add_named(&making) : add_all(&making);
    sort_records(&making);
    free(making.records);
    return status;
}

void publication_done(struct publication *publication)
{
    arena_free(publication->arena);
}
