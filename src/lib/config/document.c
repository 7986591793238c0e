/* SPDX-License-Identifier: MIT */
#include "lib/config/document.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/diag.h"
#include "lib/policy/id.h"
#include "lib/policy/render.h"

/* By bytes and salt, of which the id is made: only for a new document is it worth its time. */
struct entry {
    struct policy_document *document;
    UT_hash_handle hh;
};

/* A list of mx that was said to be long: it is once, however many domains share it. */
struct long_list {
    struct place place;
    UT_hash_handle hh;
};

static_assert(sizeof(struct place) == sizeof(char *) + 2 * sizeof(uint32_t), "hashed whole");

struct documents {
    struct arena *keep;
    struct arena *entries;
    struct entry *by_content;
    struct long_list *long_lists;
};

struct documents *documents_new(struct arena *keep)
{
    struct documents *documents = memory_alloc(sizeof(*documents));

    *documents = (struct documents){.keep = keep, .entries = arena_new_large()};
    return documents;
}

void documents_free(struct documents *documents)
{
    if (!documents)
        return;
    HASH_CLEAR(hh, documents->by_content);
    HASH_CLEAR(hh, documents->long_lists);
    arena_free(documents->entries);
    free(documents);
}

/* No body holds a NUL, so no body and its salt read as another body and its salt. */
static struct slice join_content(struct slice body, struct slice salt, struct arena *arena)
{
    size_t len = body.len + 1 + salt.len;
    char *content;

    if (salt.len == 0)
        return body;
    content = arena_alloc(arena, len);
    memcpy(content, body.ptr, body.len);
    memcpy(content + body.len + 1, salt.ptr, salt.len);
    return (struct slice){content, len};
}

static struct policy_document *keep_document(struct documents *documents,
                                             const struct effective *effective, struct slice body)
{
    struct slice salt = effective->keys.id_salt.text, content;
    struct policy_document *document = arena_alloc(documents->keep, sizeof(*document));
    struct entry *entry = arena_alloc(documents->entries, sizeof(*entry));
    const struct policy *policy = &effective->policy;
    struct slice *mx = arena_array(documents->keep, policy->n_mx, sizeof(*mx));

    for (size_t i = 0; i < policy->n_mx; i++)
        mx[i] = (struct slice){arena_copy(documents->keep, policy->mx[i]), policy->mx[i].len};
    document->policy = *policy;
    document->policy.mx = mx;
    document->body = (struct slice){arena_copy(documents->keep, body), body.len};
    policy_id_compute(body, salt, document->id);
    entry->document = document;
    content = join_content(document->body, salt, documents->entries);
    HASH_ADD_KEYPTR(hh, documents->by_content, content.ptr, content.len, entry);
    return document;
}

static void report_long(struct documents *documents, const struct effective *effective,
                        size_t body_len, struct diag *diag)
{
    const struct place *place = &effective->keys.mx.place;
    struct long_list *list;

    if (effective->allow & finding_bit(FINDING_BODY_LONG))
        return;
    HASH_FIND(hh, documents->long_lists, place, sizeof(*place), list);
    if (list)
        return;
    list = arena_alloc(documents->entries, sizeof(*list));
    list->place = *place;
    HASH_ADD(hh, documents->long_lists, place, sizeof(list->place), list);
    diag_add(
        diag, FINDING_BODY_LONG, effective->place, effective->path,
        "the policy has %zu bytes; every sender takes one of up to %d, and checkers warn above; "
        "give it fewer mx, perhaps a wildcard",
        body_len, POLICY_BODY_ADVISED);
}

const struct policy_document *documents_intern(struct documents *documents,
                                               const struct effective *effective,
                                               struct arena *scratch, struct diag *diag)
{
    struct slice body, content;
    struct entry *entry;
    struct err err;

    if (policy_render(&effective->policy, scratch, &body, &err) != 0) {
        diag_add(diag, FINDING_BODY_LIMIT, effective->place, effective->path,
                 "%s, where senders cut it off; give it fewer mx, perhaps a wildcard", err.msg);
        return NULL;
    }
    if (body.len > POLICY_BODY_ADVISED)
        report_long(documents, effective, body.len, diag);
    content = join_content(body, effective->keys.id_salt.text, scratch);
    HASH_FIND(hh, documents->by_content, content.ptr, content.len, entry);
    return entry ? entry->document : keep_document(documents, effective, body);
}

const struct reporting *reporting_keep(const struct effective *effective, struct arena *keep)
{
    struct reporting *reporting;
    const char **rua;

    if (effective->n_rua == 0)
        return NULL;
    reporting = arena_alloc(keep, sizeof(*reporting));
    rua = arena_array(keep, effective->n_rua, sizeof(*rua));
    for (size_t i = 0; i < effective->n_rua; i++)
        rua[i] = arena_copy(keep, effective->rua[i]);
    *reporting = (struct reporting){rua, effective->n_rua};
    return reporting;
}
