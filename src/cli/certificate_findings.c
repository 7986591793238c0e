/* SPDX-License-Identifier: MIT */
#include "cli/certificate_findings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

#include "cli/run_as.h"
#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/diag/diag.h"

enum {
    ALL_MIN = 4, /* hosts; of fewer each is named */
};

/* One host's fault, and if it is the first of its cause, how many there are. */
struct cause {
    UT_hash_handle hh;
    char *host; /* NULL: this host has no fault */
    char *path;
    char *message; /* what the hosts of one cause have in common */
    struct place place;
    enum finding finding;
    int sys_errno;
    size_t n_hosts;
    char key[]; /* by which causes are told apart; set for the first of each */
};

struct certificate_findings {
    size_t n_hosts;
    struct cause **faults; /* by index; NULL: none */
};

struct certificate_findings *certificate_findings_new(size_t n_hosts)
{
    struct certificate_findings *findings = memory_alloc(sizeof(*findings));
    size_t size = (n_hosts + 1) * sizeof(struct cause *);

    *findings = (struct certificate_findings){
        .n_hosts = n_hosts,
        .faults = memset(memory_alloc(size), 0, size),
    };
    return findings;
}

static void cause_free(struct cause *cause)
{
    if (!cause)
        return;
    free(cause->host);
    free(cause->path);
    free(cause->message);
    free(cause);
}

void certificate_findings_free(struct certificate_findings *findings)
{
    if (!findings)
        return;
    for (size_t i = 0; i < findings->n_hosts; i++)
        cause_free(findings->faults[i]);
    free(findings->faults);
    free(findings);
}

static char *cause_copy(const char *text)
{
    return strcpy(memory_alloc(strlen(text) + 1), text);
}

/* A permission is one mistake, whichever files it keeps; another fault is told by its words. */
static bool is_permission(int sys_errno)
{
    return sys_errno == EACCES || sys_errno == EPERM;
}

static bool is_fault_of_all(const struct certificate_findings *findings,
                            const struct config *config, enum finding fault)
{
    size_t n_hosts = 0, n_faults = 0;

    for (size_t i = 0; i < config->n_domains; i++) {
        n_hosts += config->domains[i].document && !(config->domains[i].allow & finding_bit(fault));
        n_faults += findings->faults[i] && findings->faults[i]->finding == fault;
    }
    return n_faults == n_hosts && n_faults >= ALL_MIN;
}

/*
 * What all hosts have is one mistake. Where none has a file, the path is wrong, or nothing was
 * ordered yet; where all are untrusted, their authority is a test's, as with certbot --staging.
 */
static enum finding fault_of_all(const struct certificate_findings *findings,
                                 const struct config *config)
{
    if (is_fault_of_all(findings, config, FINDING_CERTIFICATE_MISSING))
        return FINDING_CERTIFICATE_MISSING;
    if (is_fault_of_all(findings, config, FINDING_CERTIFICATE_UNTRUSTED))
        return FINDING_CERTIFICATE_UNTRUSTED;
    return FINDING_COUNT;
}

void certificate_findings_add(struct certificate_findings *findings, size_t index,
                              const struct host_fault *fault)
{
    const char *words = is_permission(fault->sys_errno) ? "permission" : fault->message;
    size_t size = strlen(words) + 16;
    struct cause *cause = memory_alloc(sizeof(*cause) + size);

    *cause = (struct cause){
        .host = cause_copy(fault->host),
        .path = cause_copy(fault->path),
        .message = cause_copy(fault->message),
        .place = fault->place,
        .finding = fault->finding,
        .sys_errno = fault->sys_errno,
    };
    snprintf(cause->key, size, "%d %s", fault->finding, words);
    findings->faults[index] = cause;
}

const char *certificate_advice(const struct config *config, int sys_errno, char *buffer,
                               size_t size)
{
    char user[RUN_AS_USER_MAX];

    buffer[0] = '\0';
    if (is_permission(sys_errno))
        snprintf(buffer, size, "; let user %s read it", run_as_user(config, user));
    else if (sys_errno == ENOENT && config->acme)
        snprintf(buffer, size,
                 "; the daemon orders one once it runs and the policy host's name leads to it");
    else if (sys_errno == ENOENT && config->has_default_sources)
        snprintf(buffer, size,
                 "; certbot has made no certificate here: get one, or say in 'certificates:' where "
                 "yours are");
    else if (sys_errno == ENOENT)
        snprintf(buffer, size,
                 "; correct the path in 'certificates:', or make the folder if no certificate has "
                 "come yet");
    else if (sys_errno == ENOTDIR)
        snprintf(buffer, size, "; correct the path in 'certificates:'");
    return buffer;
}

/* sys_errno  to give advice for, beside that for permissions; 0: none */
static void cause_report(const struct cause *cause, const struct config *config, int sys_errno,
                         struct diag *diag)
{
    char more[64] = "", advice[160] = "";

    if (cause->n_hosts > 1)
        snprintf(more, sizeof(more), " and %zu more policy host%s", cause->n_hosts - 1,
                 cause->n_hosts == 2 ? "" : "s");
    if (is_permission(cause->sys_errno))
        sys_errno = cause->sys_errno;
    else if (config->acme && cause->finding == FINDING_CERTIFICATE_MISSING)
        sys_errno = ENOENT;
    certificate_advice(config, sys_errno, advice, sizeof(advice));
    diag_add(diag, cause->finding, cause->place, cause->path, "%s%s: %s%s", cause->host, more,
             cause->message, advice);
}

void certificate_findings_report(const struct certificate_findings *findings,
                                 const struct config *config, struct diag *diag)
{
    enum finding shared = fault_of_all(findings, config);
    struct cause *causes = NULL, *first, *next;

    for (size_t i = 0; i < findings->n_hosts; i++) {
        struct cause *cause = findings->faults[i];

        if (!cause)
            continue;
        if (cause->finding == shared)
            strcpy(cause->key, "");
        HASH_FIND_STR(causes, cause->key, first);
        if (!first) {
            first = cause;
            HASH_ADD_STR(causes, key, cause);
        }
        first->n_hosts++;
    }
    HASH_ITER(hh, causes, first, next)
    {
        cause_report(first, config, shared == FINDING_CERTIFICATE_MISSING ? ENOENT : 0, diag);
        HASH_DEL(causes, first);
    }
}
