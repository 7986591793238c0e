/* SPDX-License-Identifier: MIT */
/**
 * uacme's answer: what its output says of an order that has failed.
 *
 * uacme prints the problem document of the certificate authority (RFC 8555 6.7, RFC 7807), one
 * member a line, after its own words. Pure. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/acme/acme_plan.h"

enum acme_outcome {
    ACME_ORDERED,        /* there is a certificate, or an account */
    ACME_HOST_FAILED,    /* of this host alone */
    ACME_HOST_DISTURBED, /* by nobody's fault: another order may bring it at once */
    ACME_HOST_LIMITED,   /* no more orders for now, of this host */
    ACME_HOST_PAUSED,    /* the same, until a person has acted */
    ACME_LIMITED,        /* no more orders for now, of any host */
    ACME_UNREACHABLE,    /* the certificate authority, or its directory */
    ACME_OUT_OF_ORDER,   /* it answers, but with a fault of its own or what is no answer */
    ACME_OBSTRUCTED,     /* by this machine: a full disk, a directory that cannot be written */
    ACME_NO_ACCOUNT,     /* the account is unknown to the certificate authority, or closed */
};

enum {
    ACME_TYPE_MAX = 64,
};

/** How uacme's words of a key begin that is not one. */
#define ACME_KEY_DAMAGED "key_load: "

/** What was read so far; zero before the first line. */
struct acme_answer {
    char type[ACME_TYPE_MAX];     /* "rateLimited"; "": the authority has named none */
    char detail[ACME_REASON_MAX]; /* the authority's words; "": none */
    char words[ACME_REASON_MAX];  /* what went wrong first, or of who could not write a file */
    bool has_account, is_unreachable, is_obstructed, has_wrong_binding, has_wrong_directory;
};

/** Takes a line of the output, without its end. */
void acme_answer_take(struct acme_answer *answer, const char *line);

/**
 * What a run that has ended with this status means.
 *
 * ret_reason  for people, one line
 */
enum acme_outcome acme_answer_judge(const struct acme_answer *answer, int status,
                                    char ret_reason[static ACME_REASON_MAX]);

/** The time before which another order is in vain, as the authority has written it; 0: it has not.
 */
int64_t acme_answer_retry_unix_s(const struct acme_answer *answer);
