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

#include "daemon/tls/cert_store.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/arena.h"
#include "lib/config/config.h"

static const char host_variable[] = "{host}";

enum {
    HOST_VARIABLE_LEN = sizeof(host_variable) - 1,
};

static char *text_copy(const char *text)
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

bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
    return a->is_set && b->is_set && a->read_errno == b->read_errno &&
           file_versions_eq(&a->files, &b->files);
}

/* Files that were looked at before are read only if they changed since. */
static void look_again(const struct source *source, const char *chain, const char *key,
                       const struct stamp *last, struct look *ret_look)
{
    /* Before they are read: a change in between is seen at the next look. */
    ret_look->stamp.files = file_versions_look_up(chain, key);
    if (stamp_eq(&ret_look->stamp, last))
        return;
    if (certificate_load(chain, key, source->chains, &ret_look->stamp.files, &ret_look->certificate,
                         &ret_look->err) == 0) {
        ret_look->result = LOOK_GOOD;
    } else if (file_versions_are_absent(&ret_look->stamp.files)) {
        ret_look->result = LOOK_ABSENT;
    } else {
        ret_look->result = LOOK_FAULT;
        ret_look->stamp.read_errno = ret_look->err.sys_errno;
    }
}

/* Tries what was read in a handshake. */
static void look_try(const struct source *source, struct look *look)
{
    struct err reason;

    if (look->result != LOOK_GOOD ||
        handshake_trial_run(source->trial, look->certificate, &reason) == 0)
        return;
    err_set(&look->err, ERR_CRYPTO, "%s: %s", look->path, reason.msg);
    certificate_unref(look->certificate);
    look->certificate = NULL;
    look->result = LOOK_UNUSABLE;
}

/*
 * The first look is spared the calls for a stamp, as loading gives it. After a fault all is done
 * again: its stamp must be from before it, or what was mended in between would never be read.
 */
static void look_at_files(const struct source *source, const char *chain, const char *key,
                          const struct stamp *last, struct look *ret_look)
{
    *ret_look = (struct look){.result = LOOK_SAME, .stamp.is_set = true};
    snprintf(ret_look->path, sizeof(ret_look->path), "%s", chain);
    if (!last->is_set && certificate_load(chain, key, source->chains, &ret_look->stamp.files,
                                          &ret_look->certificate, &ret_look->err) == 0)
        ret_look->result = LOOK_GOOD;
    else
        look_again(source, chain, key, last, ret_look);
    look_try(source, ret_look);
}

static void look_judge_name(struct look *look, const char *host)
{
    char names[CERTIFICATE_NAMES_MAX];

    if (look->result != LOOK_GOOD || certificate_covers(look->certificate, host))
        return;
    err_set(&look->err, ERR_CONFIG, "%s: is a certificate for %s", look->path,
            certificate_names_render(look->certificate, names, sizeof(names)));
    certificate_unref(look->certificate);
    look->certificate = NULL;
    look->result = LOOK_OTHER_NAME;
}

static void look_at_template(const struct source *source, const char *host,
                             const struct stamp *last, struct look *ret_look)
{
    char *chain = path_expand(source->chain, host);
    char *key = path_expand(source->key, host);

    look_at_files(source, chain, key, last, ret_look);
    free(chain);
    free(key);
}

/*
 * Reads a shared source unless that was done. Two threads may both read it: the first one's stays.
 * A fault is left without a stamp, so that the background pass finds it anew and reports it.
 */
static void read_shared(struct source *source)
{
    static const struct stamp never = {0};
    struct look look;
    bool is_read;

    pthread_mutex_lock(&source->lock);
    is_read = source->is_read;
    pthread_mutex_unlock(&source->lock);
    if (is_read)
        return;
    look_at_files(source, source->chain, source->key, &never, &look);
    if (look.result != LOOK_GOOD)
        look.stamp = never;
    pthread_mutex_lock(&source->lock);
    if (!source->is_read) {
        source->look = look;
        source->seen = look.stamp;
        source->is_read = true;
        look.certificate = NULL;
    }
    pthread_mutex_unlock(&source->lock);
    certificate_unref(look.certificate);
}

static void look_at_shared(struct source *source, const struct stamp *last, struct look *ret_look)
{
    read_shared(source);
    pthread_mutex_lock(&source->lock);
    *ret_look = source->look;
    if (stamp_eq(&ret_look->stamp, last)) {
        ret_look->result = LOOK_SAME;
        ret_look->certificate = NULL;
    }
    if (ret_look->certificate)
        certificate_ref(ret_look->certificate);
    pthread_mutex_unlock(&source->lock);
}

void source_look(struct source *source, const char *host, const struct stamp *last,
                 struct look *ret_look)
{
    if (source->is_shared)
        look_at_shared(source, last, ret_look);
    else
        look_at_template(source, host, last, ret_look);
    look_judge_name(ret_look, host);
}

void source_init(struct source *source, const struct cert_source *texts, struct chain_cache *chains,
                 const struct handshake_trial *trial)
{
    *source = (struct source){
        .chain = text_copy(texts->chain),
        .key = text_copy(texts->key),
        .is_shared = !strstr(texts->chain, host_variable) && !strstr(texts->key, host_variable),
        .chains = chains,
        .trial = trial,
    };
    pthread_mutex_init(&source->lock, NULL);
}

void source_done(struct source *source)
{
    certificate_unref(source->look.certificate);
    pthread_mutex_destroy(&source->lock);
    free(source->chain);
    free(source->key);
}

bool source_refresh(struct source *source, struct look *ret_look,
                    const struct certificate **ret_kept)
{
    struct certificate *kept, *old = NULL;
    struct stamp last;
    bool is_read;

    pthread_mutex_lock(&source->lock);
    is_read = source->is_read;
    last = source->seen;
    pthread_mutex_unlock(&source->lock);
    if (!is_read)
        return false;
    look_at_files(source, source->chain, source->key, &last, ret_look);
    if (ret_look->result == LOOK_SAME)
        return false;
    pthread_mutex_lock(&source->lock);
    kept = ret_look->result == LOOK_GOOD ? NULL : source->look.certificate;
    source->seen = ret_look->stamp;
    if (!kept) {
        old = source->look.certificate;
        source->look = *ret_look;
    }
    pthread_mutex_unlock(&source->lock);
    certificate_unref(old);
    *ret_kept = kept;
    return !stamp_eq(&ret_look->stamp, &last);
}

static int directory_probe(const char *path, struct err *err)
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

/* A file without {host} that can be opened, or is not there, needs no look at its directory. */
static bool file_needs_no_probe(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT;
    close(fd);
    return true;
}

int source_probe(const struct source *source, struct err *err)
{
    char *path = text_copy(source->chain);
    char *variable = strstr(path, host_variable);
    int result = 0;

    if (variable)
        variable[1] = '\0'; /* something must be left for dirname() to drop */
    if (variable || !file_needs_no_probe(path))
        result = directory_probe(dirname(path), err);
    free(path);
    return result;
}
