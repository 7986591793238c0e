/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/tls/cert_pattern.h"
#include "daemon/tls/certificate.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"

static char *path_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}

bool probe_mark_eq(const struct probe_mark *a, const struct probe_mark *b)
{
    return a->is_set && b->is_set && a->result == b->result && a->sys_errno == b->sys_errno &&
           a->matches == b->matches && file_versions_eq(&a->versions, &b->versions);
}

static void probe_reject(struct probe *probe, enum probe_result result, const char *reason)
{
    err_set(&probe->err, ERR_CONFIG, "%s: %s", probe->path, reason);
    certificate_unref(probe->certificate);
    probe->certificate = NULL;
    probe->mark.result = result;
}

/* What refuses a file that its permissions allow is not seen from here. */
static void probe_explain(const struct probe_context *context, const char *chain, const char *key,
                          struct probe *probe)
{
    char buffer[PATH_SHOWN_MAX], message[ERR_MSG_MAX];
    const char *why;

    if (!context->explain || probe->err.sys_errno != EACCES)
        return;
    why = context->explain(context->explain_context, chain, buffer, sizeof(buffer));
    if (!why)
        why = context->explain(context->explain_context, key, buffer, sizeof(buffer));
    if (!why)
        return;
    snprintf(message, sizeof(message), "%s", probe->err.msg);
    err_set(&probe->err, probe->err.code, "%s; %s", message, why);
    probe->err.sys_errno = EACCES;
}

static void probe_pair(const struct probe_context *context, const char *chain, const char *key,
                       struct probe *ret_probe)
{
    struct err err;

    /* The versions are from before the files are read: the next pass sees a change in between. */
    *ret_probe = (struct probe){
        .mark = {true, PROBE_GOOD, 0, file_versions_look_up(chain, key), 0},
    };
    snprintf(ret_probe->path, sizeof(ret_probe->path), "%s", chain);
    if (certificate_load(chain, key, context->chains, &ret_probe->certificate, &ret_probe->err) ==
        0) {
        if (handshake_trial_run(context->trial, ret_probe->certificate, &err) != 0)
            probe_reject(ret_probe, PROBE_UNUSABLE, err.msg);
    } else if (file_versions_are_absent(&ret_probe->mark.versions)) {
        ret_probe->mark.result = PROBE_ABSENT;
    } else {
        ret_probe->mark.result = PROBE_FAULT;
        ret_probe->mark.sys_errno = ret_probe->err.sys_errno;
        probe_explain(context, chain, key, ret_probe);
    }
}

static void probe_judge_name(struct probe *probe, const char *host)
{
    char names[CERTIFICATE_NAMES_MAX], reason[CERTIFICATE_NAMES_MAX + 32];

    if (!probe->certificate || certificate_covers(probe->certificate, host))
        return;
    snprintf(reason, sizeof(reason), "is a certificate for %s",
             certificate_names_render(probe->certificate, names, sizeof(names)));
    probe_reject(probe, PROBE_NAME_MISMATCH, reason);
}

/* What makes senders refuse a certificate, whatever the host. */
static finding_set probe_find_grave(const struct certificate *certificate,
                                    const struct probe_context *context)
{
    return certificate_check(certificate, NULL, context->clock->unix_s(context->clock),
                             context->trust) &
           ~finding_bit(FINDING_CERTIFICATE_EXPIRING);
}

/* How much a certificate is worth that has these faults. */
static int faults_worth(finding_set found)
{
    if (found == 0)
        return 2;
    return found == finding_bit(FINDING_CERTIFICATE_UNTRUSTED) ? 1 : 0; /* 1: a private authority */
}

static bool faults_are_worse(finding_set found, finding_set in_use)
{
    int worth = faults_worth(found), worth_in_use = faults_worth(in_use);

    if (worth != worth_in_use)
        return worth < worth_in_use;
    return found != in_use && (found & in_use) == in_use;
}

/* The newest of those that are worth most: what a renewal or a second try has left behind is older.
 */
static bool probe_is_better(const struct probe *probe, const struct probe *best,
                            const struct probe_context *context)
{
    int worth, worth_of_best;

    if (!probe->certificate || !best->certificate)
        return probe->certificate;
    worth = faults_worth(probe_find_grave(probe->certificate, context));
    worth_of_best = faults_worth(probe_find_grave(best->certificate, context));
    if (worth != worth_of_best)
        return worth > worth_of_best;
    return certificate_not_before_unix_s(probe->certificate) >=
           certificate_not_before_unix_s(best->certificate);
}

void probe_compare(struct probe *probe, const struct certificate *in_use,
                   const struct probe_context *context)
{
    char words[CERTIFICATE_FINDINGS_MAX];
    finding_set found;

    if (!probe->certificate || !in_use)
        return;
    found = probe_find_grave(probe->certificate, context);
    if (!faults_are_worse(found, probe_find_grave(in_use, context)))
        return;
    certificate_findings_render(probe->certificate, found, words, sizeof(words));
    probe_reject(probe, PROBE_WORSE, words);
}

/* Whether versions need not be compared: a permission, a free descriptor or the time is the cure.
 */
static bool mark_needs_retry(const struct probe_mark *mark)
{
    return !mark->is_set || mark->sys_errno != 0 || mark->result == PROBE_WORSE;
}

/* Of all pairs that match a pattern; 0: none, or the directory cannot be listed. */
static uint32_t pairs_mark(const struct pattern_pair *pairs, int n_pairs)
{
    uint32_t mark = 0;

    for (int i = 0; i < n_pairs; i++) {
        struct file_versions versions = file_versions_look_up(pairs[i].chain, pairs[i].key);

        mark = file_versions_mark(mark + 1, &versions);
    }
    return mark;
}

/* host  NULL: of shared files */
static uint32_t pattern_mark(const struct cert_files *files, const char *host)
{
    struct pattern_pair *pairs;
    struct err err;
    int n_pairs = cert_pattern_list(files->pattern, host, &pairs, &err);
    uint32_t mark;

    if (n_pairs < 0)
        return (uint32_t)err.sys_errno;
    mark = pairs_mark(pairs, n_pairs);
    pattern_pairs_free(pairs, n_pairs);
    return mark;
}

/* host  NULL: of shared files */
static struct file_versions pair_versions(const struct cert_files *files, const char *host)
{
    char *chain = cert_path_expand(files->chain, host ? host : "");
    char *key = cert_path_expand(files->key, host ? host : "");
    struct file_versions versions = file_versions_look_up(chain, key);

    free(chain);
    free(key);
    return versions;
}

static bool files_changed(const struct cert_files *files, const char *host,
                          const struct probe_mark *last)
{
    struct file_versions versions;

    if (files->pattern)
        return pattern_mark(files, host) != last->matches;
    versions = pair_versions(files, host);
    return !file_versions_eq(&versions, &last->versions);
}

bool cert_files_changed(struct cert_files *files, const char *host, const struct probe_mark *last)
{
    bool has_changed;

    if (mark_needs_retry(last))
        return true;
    if (!files->is_shared)
        return files_changed(files, host, last);
    pthread_mutex_lock(&files->lock);
    has_changed = files->in_use.mark.matches != last->matches ||
                  !file_versions_eq(&files->in_use.mark.versions, &last->versions);
    pthread_mutex_unlock(&files->lock);
    return has_changed;
}

uint32_t cert_files_mark(struct cert_files *files, const char *host, uint32_t mark)
{
    struct file_versions versions;

    if (files->is_shared) {
        pthread_mutex_lock(&files->lock);
        versions = files->in_use.mark.versions;
        mark += files->in_use.mark.matches;
        pthread_mutex_unlock(&files->lock);
    } else if (files->pattern) {
        return mark * 31 + pattern_mark(files, host);
    } else {
        versions = pair_versions(files, host);
    }
    return file_versions_mark(mark, &versions);
}

static void probe_fail(struct probe *probe, const struct cert_files *files, const char *host,
                       int n_pairs)
{
    char *path = cert_path_expand(files->chain, host ? host : "");

    snprintf(probe->path, sizeof(probe->path), "%s", path);
    free(path);
    probe->mark.result = PROBE_ABSENT;
    if (n_pairs == 0) {
        err_set(&probe->err, ERR_IO, "%s: no file matches", probe->path);
    } else if (n_pairs > 0) {
        err_set(&probe->err, ERR_CONFIG, "%s: %s a certificate for %s", probe->path,
                n_pairs == 1 ? "the file that matches is not" : "no file that matches is", host);
    } else if (probe->err.sys_errno != ENOENT) {
        probe->mark.result = PROBE_FAULT;
        probe->mark.sys_errno = probe->err.sys_errno;
    }
}

/* Probes all that matches and takes the best; that of other hosts, whose names begin alike, is as
 * good as absent. */
static void pattern_probe(const struct cert_files *files, const char *host, struct probe *ret_probe)
{
    struct probe best = {.mark = {.is_set = true}};
    struct pattern_pair *pairs = NULL;
    int n_pairs = cert_pattern_list(files->pattern, host, &pairs, &best.err);
    uint32_t mark = n_pairs < 0 ? (uint32_t)best.err.sys_errno : pairs_mark(pairs, n_pairs);
    bool has_any = false;

    for (int i = 0; i < n_pairs; i++) {
        struct probe probe;

        probe_pair(files->context, pairs[i].chain, pairs[i].key, &probe);
        if (probe.certificate && host && !certificate_covers(probe.certificate, host)) {
            certificate_unref(probe.certificate);
            continue;
        }
        if (has_any && !probe_is_better(&probe, &best, files->context)) {
            certificate_unref(probe.certificate);
            continue;
        }
        certificate_unref(best.certificate);
        best = probe;
        has_any = true;
    }
    if (!has_any)
        probe_fail(&best, files, host, n_pairs);
    if (n_pairs >= 0)
        pattern_pairs_free(pairs, n_pairs);
    best.mark.matches = mark;
    *ret_probe = best;
}

/* host  NULL: of shared files */
static void files_probe(const struct cert_files *files, const char *host, struct probe *ret_probe)
{
    char *chain, *key;

    if (files->pattern) {
        pattern_probe(files, host, ret_probe);
        return;
    }
    chain = cert_path_expand(files->chain, host ? host : "");
    key = cert_path_expand(files->key, host ? host : "");
    probe_pair(files->context, chain, key, ret_probe);
    free(chain);
    free(key);
}

/*
 * Reads shared files unless that was done. Two threads may both read them: the first one's probe
 * stays. `seen` is left alone, so that the background pass finds a fault anew and reports it.
 */
static void shared_read(struct cert_files *files)
{
    struct probe probe;
    bool is_read;

    pthread_mutex_lock(&files->lock);
    is_read = files->in_use.mark.is_set;
    pthread_mutex_unlock(&files->lock);
    if (is_read)
        return;
    files_probe(files, NULL, &probe);
    pthread_mutex_lock(&files->lock);
    if (!files->in_use.mark.is_set) {
        files->in_use = probe;
        if (probe.certificate)
            files->seen = probe.mark;
        probe.certificate = NULL;
    }
    pthread_mutex_unlock(&files->lock);
    certificate_unref(probe.certificate);
}

static void shared_probe(struct cert_files *files, struct probe *ret_probe)
{
    shared_read(files);
    pthread_mutex_lock(&files->lock);
    *ret_probe = files->in_use;
    if (ret_probe->certificate)
        certificate_ref(ret_probe->certificate);
    pthread_mutex_unlock(&files->lock);
}

void cert_files_probe(struct cert_files *files, const char *host, struct probe *ret_probe)
{
    if (files->is_shared)
        shared_probe(files, ret_probe);
    else
        files_probe(files, host, ret_probe);
    probe_judge_name(ret_probe, host);
}

void cert_files_init(struct cert_files *files, const struct cert_source *source,
                     const struct probe_context *context)
{
    *files = (struct cert_files){
        .chain = path_copy(source->chain),
        .key = path_copy(source->key),
        .is_shared = !cert_path_has_variable(source->chain) && !cert_path_has_variable(source->key),
        .pattern =
            cert_path_has_star(source->chain) ? cert_pattern_new(source->chain, source->key) : NULL,
        .context = context,
    };
    pthread_mutex_init(&files->lock, NULL);
}

void cert_files_done(struct cert_files *files)
{
    certificate_unref(files->in_use.certificate);
    pthread_mutex_destroy(&files->lock);
    cert_pattern_free(files->pattern);
    free(files->chain);
    free(files->key);
}

/* Only the background pass, which has one caller at a time, replaces what is in use. */
bool cert_files_refresh(struct cert_files *files, struct probe *ret_probe, bool *ret_is_kept)
{
    struct probe_mark last;
    struct certificate *old;
    bool is_read, is_same;

    pthread_mutex_lock(&files->lock);
    is_read = files->in_use.mark.is_set;
    last = files->seen;
    old = files->in_use.certificate;
    pthread_mutex_unlock(&files->lock);
    if (!is_read || (!mark_needs_retry(&last) && !files_changed(files, NULL, &last)))
        return false;
    files_probe(files, NULL, ret_probe);
    probe_compare(ret_probe, old, files->context);
    *ret_is_kept = old && !ret_probe->certificate;
    is_same = old && ret_probe->certificate && certificate_eq(old, ret_probe->certificate);
    pthread_mutex_lock(&files->lock);
    files->seen = ret_probe->mark;
    if (!*ret_is_kept)
        files->in_use = *ret_probe;
    pthread_mutex_unlock(&files->lock);
    if (!*ret_is_kept)
        certificate_unref(old);
    return !is_same && !probe_mark_eq(&ret_probe->mark, &last);
}

static int directory_check(const char *path, struct err *err)
{
    DIR *directory = opendir(path);
    int sys_errno = errno;

    if (directory) {
        errno = 0; /* readdir() leaves it alone at the end of an empty directory */
        sys_errno = readdir(directory) ? 0 : errno;
        closedir(directory);
    }
    return sys_errno == 0 ? 0 : err_io(err, sys_errno, "'%s' cannot be listed", path);
}

/* Whether a file can be opened, or is known not to be there: then its directory does not matter. */
static bool file_is_reachable(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT;
    close(fd);
    return true;
}

int cert_files_check_access(const struct cert_files *files, struct err *err)
{
    size_t fixed_len = cert_path_fixed_len(files->chain);
    bool has_variable = files->chain[fixed_len] != '\0';
    char *path = path_copy(files->chain);
    int result = 0;

    if (has_variable)
        strcpy(path + fixed_len, "x"); /* something must be left for dirname() to drop */
    if (has_variable || !file_is_reachable(path))
        result = directory_check(dirname(path), err);
    free(path);
    return result;
}
