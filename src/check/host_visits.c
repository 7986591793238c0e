/* SPDX-License-Identifier: MIT */
#include "check/host_visits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "check/special_address.h"
#include "lib/base/arena.h"

enum {
    KEY_MAX = ADDRESS_TEXT_SIZE + DNS_NAME_MAX + 2,
};

/* An address, and how many policy hosts were visited there. */
struct host_place {
    char address[ADDRESS_TEXT_SIZE];
    char first[DNS_NAME_MAX + 1]; /* the canonical name of the first of them */
    unsigned n_hosts;
    UT_hash_handle hh;
};

struct host_visits {
    struct host_visit_tools tools;
    struct shared_visits *visits;
    struct host_place *places; /* the first came first */
};

static void host_visits_on_visited(void *context, const struct host_behaviour *behaviour)
{
    shared_visit_end(context, behaviour);
}

static void *host_visits_start(void *tools, const char *key, const void *goal,
                               struct shared_visit *entry)
{
    (void)key;
    return host_visit_start(tools, goal, host_visits_on_visited, entry);
}

static void host_visits_free_visit(void *visit)
{
    host_visit_free(visit);
}

struct host_visits *host_visits_new(const struct host_visit_tools *tools, size_t n_at_once)
{
    static const struct visit_kind kind = {host_visits_start, host_visits_free_visit};
    struct host_visits *visits = memory_alloc(sizeof(*visits));

    *visits = (struct host_visits){.tools = *tools};
    visits->visits =
        shared_visits_new(tools->loop, &kind, &visits->tools, n_at_once, HOST_VISITS_KEPT);
    return visits;
}

static void host_place_drop(struct host_visits *visits, struct host_place *place)
{
    HASH_DEL(visits->places, place);
    free(place);
}

void host_visits_free(struct host_visits *visits)
{
    if (visits == NULL)
        return;
    shared_visits_free(visits->visits);
    while (visits->places)
        host_place_drop(visits, visits->places);
    free(visits);
}

static struct host_place *host_place_find(struct host_visits *visits, const char *address,
                                          const char *canonical)
{
    struct host_place *place;

    HASH_FIND_STR(visits->places, address, place);
    if (place)
        return place;
    place = memory_alloc(sizeof(*place));
    *place = (struct host_place){0};
    snprintf(place->address, sizeof(place->address), "%s", address);
    snprintf(place->first, sizeof(place->first), "%s", canonical);
    HASH_ADD_STR(visits->places, address, place);
    if (HASH_COUNT(visits->places) > HOST_VISITS_KEPT)
        host_place_drop(visits, visits->places);
    return place;
}

void host_visits_ask(struct host_visits *visits, const struct host_visit_goal *goal,
                     visit_seen *callback, void *context)
{
    char address[ADDRESS_TEXT_SIZE], key[KEY_MAX];
    struct host_place *place;

    special_address_text((const struct sockaddr *)&goal->address, address);
    snprintf(key, sizeof(key), "%s %s", address, goal->canonical);
    if (!shared_visits_have(visits->visits, key)) {
        place = host_place_find(visits, address, goal->canonical);
        if (place->n_hosts < HOSTS_AT_ADDRESS)
            place->n_hosts++;
        else
            snprintf(key, sizeof(key), "%s %s", address, place->first);
    }
    shared_visits_ask(visits->visits, key, goal, sizeof(*goal), callback, context);
}
