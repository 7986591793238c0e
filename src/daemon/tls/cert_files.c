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

#include "daemon/tls/certificate.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"

static const char host_variable[] = "{host}";

enum {
    HOST_VARIABLE_LEN = sizeof(host_variable) - 1,
};

static char *path_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}

/* `template` with the host's name in place of each {host}; the caller frees. */
static char *path_expand(const char *template, const char *host)
{
    size_t host_len = strlen(host), n_variables = 0;
    const char *from, *variable;
    char *path, *to;

    for (from = template; (variable = strstr(from, host_variable)); n_variables++)
        from = variable + HOST_VARIABLE_LEN;
    path = to = memory_alloc(strlen(template) + n_variables * host_len + 1);
    for (from = template; (variable = strstr(from, host_variable));
         from = variable + HOST_VARIABLE_LEN) {
        to = mempcpy(to, from, (size_t)(variable - from));
        to = mempcpy(to, host, host_len);
    }
    memcpy(to, from, strlen(from) + 1);
    return path;
}

bool probe_mark_eq(const struct probe_mark *a, const struct probe_mark *b)
{
    return a->is_set && b->is_set && a->result == b->result && a->sys_errno == b->sys_errno &&
           file_versions_eq(&a->versions, &b->versions);
}

static void probe_reject(struct probe *probe, enum probe_result result, const char *reason)
{
    err_set(&probe->err, ERR_CONFIG, "%s: %s", probe->path, reason);
    certificate_unref(probe->certificate);
    probe->certificate = NULL;
    probe->mark.result = result;
}

static void probe_pair(const struct probe_context *context, const char *chain, const char *key,
                       struct probe *ret_probe)
{
    struct err err;

    /* The versions are from before the files are read: the next pass sees a change in between. */
    *ret_probe = (struct probe){
        .mark = {true, PROBE_GOOD, 0, file_versions_look_up(chain, key)},
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

static bool pair_changed(const char *chain, const char *key, const struct probe_mark *last)
{
    struct file_versions versions = file_versions_look_up(chain, key);

    return !file_versions_eq(&versions, &last->versions);
}

bool cert_files_changed(struct cert_files *files, const char *host, const struct probe_mark *last)
{
    char *chain, *key;
    bool has_changed;

    if (mark_needs_retry(last))
        return true;
    if (files->is_shared) {
        pthread_mutex_lock(&files->lock);
        has_changed = !file_versions_eq(&files->in_use.mark.versions, &last->versions);
        pthread_mutex_unlock(&files->lock);
        return has_changed;
    }
    chain = path_expand(files->chain, host);
    key = path_expand(files->key, host);
    has_changed = pair_changed(chain, key, last);
    free(chain);
    free(key);
    return has_changed;
}

uint32_t cert_files_mark(struct cert_files *files, const char *host, uint32_t mark)
{
    struct file_versions versions;
    char *chain, *key;

    if (files->is_shared) {
        pthread_mutex_lock(&files->lock);
        versions = files->in_use.mark.versions;
        pthread_mutex_unlock(&files->lock);
    } else {
        chain = path_expand(files->chain, host);
        key = path_expand(files->key, host);
        versions = file_versions_look_up(chain, key);
        free(chain);
        free(key);
    }
    return file_versions_mark(mark, &versions);
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
    probe_pair(files->context, files->chain, files->key, &probe);
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

static void host_probe(const struct cert_files *files, const char *host, struct probe *ret_probe)
{
    char *chain = path_expand(files->chain, host);
    char *key = path_expand(files->key, host);

    probe_pair(files->context, chain, key, ret_probe);
    free(chain);
    free(key);
}

void cert_files_probe(struct cert_files *files, const char *host, struct probe *ret_probe)
{
    if (files->is_shared)
        shared_probe(files, ret_probe);
    else
        host_probe(files, host, ret_probe);
    probe_judge_name(ret_probe, host);
}

void cert_files_init(struct cert_files *files, const struct cert_source *source,
                     const struct probe_context *context)
{
    *files = (struct cert_files){
        .chain = path_copy(source->chain),
        .key = path_copy(source->key),
        .is_shared = !strstr(source->chain, host_variable) && !strstr(source->key, host_variable),
        .context = context,
    };
    pthread_mutex_init(&files->lock, NULL);
}

void cert_files_done(struct cert_files *files)
{
    certificate_unref(files->in_use.certificate);
    pthread_mutex_destroy(&files->lock);
    free(files->chain);
    free(files->key);
}

/* Only the background pass, which has one caller at a time, replaces what is in use. */
bool cert_files_refresh(struct cert_files *files, struct probe *ret_probe, bool *ret_is_kept)
{
    struct probe_mark last;
    struct certificate *old;
    bool is_read;

    pthread_mutex_lock(&files->lock);
    is_read = files->in_use.mark.is_set;
    last = files->seen;
    old = files->in_use.certificate;
    pthread_mutex_unlock(&files->lock);
    if (!is_read || (!mark_needs_retry(&last) && !pair_changed(files->chain, files->key, &last)))
        return false;
    probe_pair(files->context, files->chain, files->key, ret_probe);
    probe_compare(ret_probe, old, files->context);
    *ret_is_kept = old && !ret_probe->certificate;
    pthread_mutex_lock(&files->lock);
    files->seen = ret_probe->mark;
    if (!*ret_is_kept)
        files->in_use = *ret_probe;
    pthread_mutex_unlock(&files->lock);
    if (!*ret_is_kept)
        certificate_unref(old);
    return !probe_mark_eq(&ret_probe->mark, &last);
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
    char *path = path_copy(files->chain);
    char *variable = strstr(path, host_variable);
    int result = 0;

    if (variable)
        variable[1] = '\0'; /* something must be left for dirname() to drop */
    if (variable || !file_is_reachable(path))
        result = directory_check(dirname(path), err);
    free(path);
    return result;
}
