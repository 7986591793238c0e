/* SPDX-License-Identifier: MIT */
/**
 * The check of a host's certificate: what is there, what is wrong with it, and what it is worth.
 *
 * Any thread.
 */
#pragma once

#include <stdbool.h>

#include "lib/diag/config_finding.h"

struct cert_store;
struct certificate;

/** What cert_store_check() says of one host. */
struct cert_state {
    struct certificate *certificate; /* one reference, or NULL: the host cannot be served */
    finding_set findings;            /* FINDING_CERTIFICATE_* */
    int sys_errno;                   /* why a file could not be read; 0: all could, or are absent */
    bool is_remembered;              /* by cert_store_find(); cert_store_check() never says so */
    char message[512]; /* what was looked at and why it will not do; empty if nothing is wrong */
};

/**
 * Looks at one host's certificate as --test-config and the background do, past the memory of
 * cert_store_find() and without filling it: reads the files now and judges what is found. The files
 * of a source without {host} are read once for all checks.
 * The caller unrefs ret_state->certificate.
 */
void cert_store_check(struct cert_store *store, const char *host, struct cert_state *ret_state);

/**
 * The same of what the host is answered: the certificate in use is judged, whatever the files hold
 * by now. Where none is in use, the files are looked at.
 */
void cert_store_check_in_use(struct cert_store *store, const char *host,
                             struct cert_state *ret_state);

/**
 * Whether a sender accepts what was found, so that the policy can be fetched: there is a
 * certificate that names the host, in its time, with its intermediates, from an authority that this
 * system trusts. With FINDING_CERTIFICATE_MISSING no source has a file; with UNREADABLE, UNUSABLE
 * or NAME there are files, and something is wrong with them.
 */
bool cert_state_is_accepted(const struct cert_state *state);
