/* SPDX-License-Identifier: MIT */
/**
 * Conditions: what an operator is told of when it begins and when it ends, as `notify:` says.
 *
 * mta-stsd-reports finds those that follow from checks, reports and the ledger, and leaves them in
 * CONDITIONS_FILE of the state directory; the daemon reads that list, and knows the rest itself. A
 * line of the file has fields with a tab between two of them:
 *
 *     mta-stsd conditions 1
 *     known    KIND                              all open conditions of the kind are in the file
 *     unclear  KIND DOMAIN                       but for this domain: nobody could look
 *     recheck  SECONDS                           since 1970: when a check would tell more
 *     open     KIND DOMAIN CODE TEXT ADVICE
 *
 * Pure but for condition_list_read().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"

struct arena;
struct err;

#define CONDITIONS_FILE "conditions"

enum {
    CONDITIONS_MAX = 512 * 1024 * 1024, /* bytes of the file */
};

/** What costs mail first, comes first. */
enum condition_kind {
    CONDITION_RELOAD,      /* the last reload was refused */
    CONDITION_DNS,         /* live DNS differs from what is served */
    CONDITION_CERTIFICATE, /* a policy host's certificate is missing, ends, or is not renewed */
    CONDITION_CHECK,       /* a check has found an error */
    CONDITION_VERDICT,     /* what the reports say of a domain; one is always open */
    CONDITION_REMOVAL,     /* no sender holds the policy of a domain in mode none any more */
    CONDITION_KIND_COUNT,
};

/** A word of lower-case letters. */
const char *condition_kind_word(enum condition_kind kind);

/** The kind of a word; CONDITION_KIND_COUNT: none has it. */
enum condition_kind condition_kind_find(struct slice word);

/** What is open now. */
struct condition {
    enum condition_kind kind;
    struct slice domain, code; /* domain: empty, the daemon as a whole */
    struct slice text, advice; /* for a person, on one line; UTF-8, or a stranger's bytes */
};

/** Orders by kind, domain and code, which identify a condition. */
int condition_compare(const struct condition *a, const struct condition *b);

/** What is known of the conditions; zeroed, nothing is. */
struct condition_list {
    struct condition *conditions; /* sorted by condition_compare(), each once */
    size_t n_conditions;
    struct condition *unclear; /* sorted; their code and texts are empty */
    size_t n_unclear;
    bool is_known[CONDITION_KIND_COUNT]; /* what is not in the list is not open */
    int64_t recheck_unix_s;              /* 0: a check would tell no more */
};

/** Whether nobody could look for conditions of the kind at the domain. */
bool condition_list_is_unclear(const struct condition_list *list, enum condition_kind kind,
                               struct slice domain);

/** Sorts the list, and leaves out what is twice. */
void condition_list_sort(struct condition_list *list);

/** @{ Print lines of the file; control characters in texts come out as spaces. */
void condition_print_head(FILE *out);
void condition_print_known(enum condition_kind kind, FILE *out);
void condition_print_unclear(enum condition_kind kind, struct slice domain, FILE *out);
void condition_print_recheck(int64_t at_unix_s, FILE *out);
void condition_print(const struct condition *condition, FILE *out);
/** @} */

/**
 * Parses the bytes of a file.
 *
 * text   outlives *ret_list
 * arena  of the list; uncapped
 * Returns 0, or -1 with *err set: ERR_SYNTAX.
 */
int condition_list_parse(struct slice text, struct arena *arena, struct condition_list *ret_list,
                         struct err *err);

/**
 * Reads the file of a state directory; without one, nothing is known.
 *
 * arena  owns all of *ret_list; uncapped
 * Returns 0, or -1 with *err set: as file_read_regular(), ERR_SYNTAX.
 */
int condition_list_read(const char *directory, struct arena *arena, struct condition_list *ret_list,
                        struct err *err);
