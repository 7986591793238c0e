/* SPDX-License-Identifier: MIT */
/**
 * Authentication-Results: what the server that received a mail says of its DKIM signatures.
 *
 * Anybody can write such a field into a mail. Only the word of one server, known by its
 * authserv-id, counts, and that server removes fields of others that bear its id.
 * Pure, safe from any thread. Source: RFC 8601 2.2 (grammar), 5 (removal), 7.1 (forged fields).
 */
#pragma once

#include "lib/base/slice.h"
#include "lib/dns/name.h"

enum auth_word {
    AUTH_SAYS_NOTHING, /* another server's, or not about DKIM */
    AUTH_SAYS_NO,      /* no good signature of the domain or of one above it */
    AUTH_SAYS_YES,
};

/**
 * Reads the value of one field.
 *
 * value        may be folded; any bytes
 * authserv_id  of the server that is believed; letters of either case are equal
 * domain       the author's, in stored form
 * ret_signer   the domain that signed, in stored form, after AUTH_SAYS_YES, else untouched
 * Returns what the field says of `domain`. A field of this server that breaks the grammar says no.
 */
enum auth_word auth_results_judge(struct slice value, struct slice authserv_id, struct slice domain,
                                  char ret_signer[DNS_NAME_MAX + 1]);
