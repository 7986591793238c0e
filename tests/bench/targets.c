/* SPDX-License-Identifier: MIT */
#include "targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

_Noreturn static void fail(const char *path, const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", path, what);
    exit(2);
}

/* In place; returns the length. */
static size_t unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        *to++ = *from == 'r' ? '\r' : '\n';
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* The host and its body share one allocation. */
static struct target parse_line(char *line)
{
    struct target target = {.host = line};

    line[strcspn(line, "\n")] = '\0';
    target.body = strchr(line, '\t');
    if (target.body) {
        *target.body++ = '\0';
        target.body_len = unescape(target.body);
    }
    return target;
}

void targets_load(const char *path, struct targets *ret_targets)
{
    FILE *in = fopen(path, "r");
    size_t capacity = 0;

    if (!in)
        fail(path, strerror(errno));
    *ret_targets = (struct targets){0};
    for (;;) {
        char *line = NULL;
        size_t size = 0;

        if (getline(&line, &size, in) <= 0) {
            free(line);
            break;
        }
        if (ret_targets->n_items == capacity) {
            capacity = capacity * 2 + 1024;
            ret_targets->items =
                reallocarray(ret_targets->items, capacity, sizeof(*ret_targets->items));
            if (!ret_targets->items)
                fail(path, "no memory");
        }
        ret_targets->items[ret_targets->n_items++] = parse_line(line);
        if (!ret_targets->items[ret_targets->n_items - 1].body)
            fail(path, "a line without a body");
    }
    fclose(in);
    if (ret_targets->n_items == 0)
        fail(path, "no host");
}

static void read_leaf(struct target *target, const char *folder)
{
    char path[4096], *name, *header;
    unsigned char *der;
    long der_len;
    FILE *in;

    snprintf(path, sizeof(path), "%s/%s/fullchain.pem", folder, target->host);
    in = fopen(path, "r");
    if (!in || PEM_read(in, &name, &header, &der, &der_len) != 1)
        fail(path, "no certificate");
    fclose(in);
    EVP_Digest(der, (size_t)der_len, target->leaf_digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
}

void targets_read_leaves(struct targets *targets, const char *folder)
{
    for (size_t i = 0; i < targets->n_items; i++)
        read_leaf(&targets->items[i], folder);
}

void targets_done(struct targets *targets)
{
    for (size_t i = 0; i < targets->n_items; i++)
        free(targets->items[i].host);
    free(targets->items);
}
