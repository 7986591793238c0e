/* SPDX-License-Identifier: MIT */
/**
 * What --test-config says of certificates: one cause is one finding, however many policy hosts it
 * concerns. 302 keys of one group that may not be read are one mistake, and so is a wildcard
 * certificate that has expired.
 */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/diag/config_finding.h"

struct certificate_findings;
struct config;
struct diag;

/** n_hosts  that can be added. Never returns NULL. */
struct certificate_findings *certificate_findings_new(size_t n_hosts);

/** Takes NULL. */
void certificate_findings_free(struct certificate_findings *findings);

/** A fault of one host's certificate. */
struct host_fault {
    const char *host;    /* copied, as are path and message */
    const char *path;    /* of the key in the configuration */
    const char *message; /* the files, and what is wrong */
    struct place place;
    enum finding finding;
    int sys_errno; /* 0: the files could be read */
};

/** Safe from any thread, each with an index of its own. */
void certificate_findings_add(struct certificate_findings *findings, size_t index,
                              const struct host_fault *fault);

/** Adds a finding for each cause, at the place of the first host by index. */
void certificate_findings_report(const struct certificate_findings *findings,
                                 const struct config *config, struct diag *diag);

/** What helps where a file or directory cannot be read, as "; let user 'mta-stsd' read it", or "".
 */
const char *certificate_advice(const struct config *config, int sys_errno, char *buffer,
                               size_t size);
