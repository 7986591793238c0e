/* SPDX-License-Identifier: MIT */
/**
 * What needs attention: groups of domains that have the same to be done, what loses mail first.
 *
 * Pure; memory grows with what is added.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct site_attention;
struct site_domain;

/** How much it matters; the lowest first. */
enum site_urgency {
    SITE_LOST,      /* mail is being lost */
    SITE_NO_POLICY, /* senders do not get the policy */
    SITE_UNREADY,   /* mode enforce would lose mail */
    SITE_SOON,      /* it will fail if nothing is done */
    SITE_WARNING,
    SITE_CHANCE, /* nothing is wrong; something better can be done now */
    SITE_URGENCY_COUNT,
};

struct site_attention_row {
    const char *domain, *text;
};

struct site_attention_group {
    enum site_urgency urgency;
    const char *code, *title, *advice;     /* an advice of "": none */
    const struct site_attention_row *rows; /* in the order in which they were added */
    size_t n_rows;
};

/** Never returns NULL. */
struct site_attention *site_attention_new(void);

/** Takes NULL. */
void site_attention_free(struct site_attention *attention);

/** Adds all that is to be said of a domain; texts are copied. */
void site_attention_add(struct site_attention *attention, const struct site_domain *domain,
                        struct arena *arena);

/** Adds one thing that is to be said of a domain; texts are copied. */
void site_attention_add_row(struct site_attention *attention, enum site_urgency urgency,
                            const char *code, const char *title, const char *advice,
                            const struct site_attention_row *row);

/**
 * Sorts the groups by urgency, then those of most domains first. No more is added after it.
 *
 * Returns how many there are.
 */
size_t site_attention_sort(struct site_attention *attention);

/** One of them, valid as long as the attention. */
struct site_attention_group site_attention_at(const struct site_attention *attention, size_t index);

/** What one domain needs; those with the same urgency, code and advice are one group. */
struct site_need {
    enum site_urgency urgency;
    const char *code, *title, *advice;
    const char *text; /* "": there is no more to say */
};

/**
 * Finds the most urgent that a domain needs.
 *
 * arena  owns texts that are made
 * Returns whether there is anything.
 */
bool site_attention_first(const struct site_domain *domain, struct arena *arena,
                          struct site_need *ret_need);
