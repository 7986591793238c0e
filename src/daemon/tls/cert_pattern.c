/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_pattern.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/tls/file_version.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/cert_path.h"

enum {
    TRUST_MS = 100,       /* a listing is not compared with its directory again before */
    CLOCK_OF_FILES_S = 1, /* a change that much later shows in a directory's version */
};

/* The names in a directory, sorted. */
struct name_list {
    struct arena *arena; /* NULL: nothing was listed */
    const char **names;
    size_t n_names;
    size_t names_size;
};

struct cert_pattern {
    char *chain, *key;
    bool is_kept; /* the directory is the same for all hosts */
    pthread_mutex_t lock;
    struct name_list kept; /* below the lock, as is the rest */
    struct file_versions version;
    uint64_t seen_at_ms;
    bool is_seen;
    bool is_expired;
    bool is_settled; /* the directory had not changed right before it was listed */
    int result;      /* of the last listing, and why */
    struct err err;
};

/* A path with a '*', taken apart; the parts point into it. */
struct star_path {
    char *directory;     /* for free(); "." if there is none */
    struct slice prefix; /* of the name with the '*' */
    struct slice suffix;
    struct slice rest; /* after the name, with its slash, or empty */
    struct slice head; /* before the name, with its slash, or empty */
};

static struct star_path star_path_take_apart(const char *path)
{
    const char *star = strchr(path, '*'), *name = star, *end = star + strcspn(star, "/");
    struct star_path parts;

    while (name > path && name[-1] != '/')
        name--;
    parts = (struct star_path){
        .prefix = {name, (size_t)(star - name)},
        .suffix = {star + 1, (size_t)(end - star - 1)},
        .rest = slice_of(end),
        .head = {path, (size_t)(name - path)},
    };
    if (asprintf(&parts.directory, "%.*s", parts.head.len > 1 ? (int)parts.head.len - 1 : 1,
                 parts.head.len == 0 ? "." : path) < 0)
        memory_fail();
    return parts;
}

static void name_list_done(struct name_list *listing)
{
    arena_free(listing->arena);
    free(listing->names);
    *listing = (struct name_list){0};
}

static void name_list_add(struct name_list *listing, const char *name)
{
    if (listing->n_names == listing->names_size) {
        listing->names_size = listing->names_size * 2 + 64;
        listing->names =
            memory_resize(listing->names, listing->names_size, sizeof(*listing->names));
    }
    listing->names[listing->n_names++] = arena_copy(listing->arena, slice_of(name));
}

static int name_list_compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int name_list_read(struct name_list *listing, const char *path, size_t names_max,
                          struct err *err)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int sys_errno = 0;

    if (!directory)
        return err_io(err, errno, "'%s' cannot be listed", path);
    *listing = (struct name_list){.arena = arena_new(0)};
    /* readdir() leaves errno alone at the end. */
    while (errno = 0, listing->n_names <= names_max && (entry = readdir(directory)))
        name_list_add(listing, entry->d_name);
    sys_errno = errno;
    closedir(directory);
    if (sys_errno == 0 && listing->n_names <= names_max) {
        if (listing->n_names > 0) /* an empty list has no address to sort at */
            qsort(listing->names, listing->n_names, sizeof(*listing->names), name_list_compare);
        return 0;
    }
    name_list_done(listing);
    return sys_errno != 0 ? err_io(err, sys_errno, "'%s' cannot be listed", path)
                          : err_set(err, ERR_LIMIT,
                                    "'%s' has more than %zu names, where '*' would be too slow",
                                    path, names_max);
}

/* The first name that is not below the prefix. */
static size_t name_list_find(const struct name_list *listing, struct slice prefix)
{
    size_t low = 0, high = listing->n_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strncmp(listing->names[middle], prefix.ptr, prefix.len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static char *path_fill(struct slice head, struct slice prefix, struct slice middle,
                       struct slice suffix, struct slice rest)
{
    char *path;

    if (asprintf(&path, "%.*s%.*s%.*s%.*s%.*s", (int)head.len, head.ptr, (int)prefix.len,
                 prefix.ptr, (int)middle.len, middle.ptr, (int)suffix.len, suffix.ptr,
                 (int)rest.len, rest.ptr) < 0)
        memory_fail();
    return path;
}

/* Whether '*' can be what is between prefix and suffix in the name. */
static bool star_path_matches(const struct star_path *parts, struct slice name)
{
    if (name.ptr[0] == '.' && parts->prefix.len == 0)
        return false;
    return name.len >= parts->prefix.len + parts->suffix.len &&
           memcmp(name.ptr + name.len - parts->suffix.len, parts->suffix.ptr, parts->suffix.len) ==
               0;
}

static void pairs_clear(struct pattern_pair *pairs, int n_pairs)
{
    for (int i = 0; i < n_pairs; i++) {
        free(pairs[i].chain);
        free(pairs[i].key);
    }
}

/* Returns how many pairs match, or -1. */
static int name_list_match(const struct name_list *listing, const struct star_path *chain,
                           const struct star_path *key, struct pattern_pair *pairs, struct err *err)
{
    int n_pairs = 0;

    for (size_t i = name_list_find(listing, chain->prefix); i < listing->n_names; i++) {
        struct slice name = slice_of(listing->names[i]), middle;

        if (strncmp(name.ptr, chain->prefix.ptr, chain->prefix.len) != 0)
            break;
        if (!star_path_matches(chain, name))
            continue;
        if (n_pairs == PATTERN_PAIRS_MAX) {
            pairs_clear(pairs, n_pairs);
            return err_set(err, ERR_LIMIT, "more than %d names in '%s' match; remove old ones",
                           PATTERN_PAIRS_MAX, chain->directory);
        }
        middle = slice_range(name, chain->prefix.len, name.len - chain->suffix.len);
        pairs[n_pairs++] = (struct pattern_pair){
            path_fill(chain->head, chain->prefix, middle, chain->suffix, chain->rest),
            path_fill(key->head, key->prefix, middle, key->suffix, key->rest),
        };
    }
    return n_pairs;
}

/* Under the lock. */
static void pattern_renew(struct cert_pattern *pattern, const char *directory)
{
    uint64_t now_ms = clock_system.monotonic_ms(&clock_system);
    struct file_versions version;
    bool is_same;

    if (pattern->is_seen && !pattern->is_expired && now_ms - pattern->seen_at_ms < TRUST_MS)
        return;
    version = file_versions_look_up(directory, directory);
    is_same = pattern->is_seen && file_versions_eq(&version, &pattern->version);
    pattern->is_seen = true;
    pattern->is_expired = false;
    pattern->seen_at_ms = now_ms;
    if (is_same && pattern->is_settled && pattern->result == 0)
        return;
    name_list_done(&pattern->kept);
    pattern->version = version;
    pattern->is_settled =
        clock_system.unix_s(&clock_system) - version.chain.modified.tv_sec > CLOCK_OF_FILES_S;
    pattern->result = name_list_read(&pattern->kept, directory, PATTERN_NAMES_MAX, &pattern->err);
}

static int pattern_match(struct cert_pattern *pattern, const struct star_path *chain,
                         const struct star_path *key, struct pattern_pair *pairs, struct err *err)
{
    struct name_list own = {0};
    int n_pairs = -1;

    if (!pattern->is_kept) {
        if (name_list_read(&own, chain->directory, PATTERN_OWN_NAMES_MAX, err) == 0)
            n_pairs = name_list_match(&own, chain, key, pairs, err);
        name_list_done(&own);
        return n_pairs;
    }
    pthread_mutex_lock(&pattern->lock);
    pattern_renew(pattern, chain->directory);
    if (pattern->result == 0)
        n_pairs = name_list_match(&pattern->kept, chain, key, pairs, err);
    else
        *err = pattern->err;
    pthread_mutex_unlock(&pattern->lock);
    return n_pairs;
}

struct cert_pattern *cert_pattern_new(const char *chain, const char *key)
{
    struct cert_pattern *pattern = memory_alloc(sizeof(*pattern));
    struct star_path parts = star_path_take_apart(chain);

    *pattern = (struct cert_pattern){
        .chain = strcpy(memory_alloc(strlen(chain) + 1), chain),
        .key = strcpy(memory_alloc(strlen(key) + 1), key),
        .is_kept = !cert_path_has_variable(parts.directory),
    };
    free(parts.directory);
    pthread_mutex_init(&pattern->lock, NULL);
    return pattern;
}

void cert_pattern_free(struct cert_pattern *pattern)
{
    if (!pattern)
        return;
    name_list_done(&pattern->kept);
    pthread_mutex_destroy(&pattern->lock);
    free(pattern->chain);
    free(pattern->key);
    free(pattern);
}

void cert_pattern_expire(struct cert_pattern *pattern)
{
    pthread_mutex_lock(&pattern->lock);
    pattern->is_expired = true;
    pthread_mutex_unlock(&pattern->lock);
}

int cert_pattern_list(struct cert_pattern *pattern, const char *host,
                      struct pattern_pair **ret_pairs, struct err *err)
{
    char *chain = cert_path_expand(pattern->chain, host ? host : "");
    char *key = cert_path_expand(pattern->key, host ? host : "");
    struct star_path chain_parts = star_path_take_apart(chain);
    struct star_path key_parts = star_path_take_apart(key);
    struct pattern_pair *pairs = memory_alloc(PATTERN_PAIRS_MAX * sizeof(*pairs));
    int n_pairs = pattern_match(pattern, &chain_parts, &key_parts, pairs, err);

    if (n_pairs >= 0)
        *ret_pairs = pairs;
    else
        free(pairs);
    free(chain_parts.directory);
    free(key_parts.directory);
    free(chain);
    free(key);
    return n_pairs;
}

void pattern_pairs_free(struct pattern_pair *pairs, int n_pairs)
{
    pairs_clear(pairs, n_pairs);
    free(pairs);
}
