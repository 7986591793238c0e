/* SPDX-License-Identifier: MIT */
#include "lib/config/document.h"

#include <stdlib.h>
#include <string.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/policy_merge.h"
#include "lib/policy/id.h"

/* Found by bytes and salt, from which the id is made: so only a new document's id is computed. */
struct document_entry {
    struct policy_document *document;
    UT_hash_handle hh;
};

struct documents {
    struct arena *keep;
    struct arena *entries;
    struct document_entry *by_content;
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
    arena_free(documents->entries);
    free(documents);
}

/* No body holds a NUL, so a body and its salt never read as another body and its salt. */
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
                                             const struct merged_policy *merged, struct slice body)
{
    struct slice salt = merged->keys.id_salt.text, content;
    struct policy_document *document = arena_alloc(documents->keep, sizeof(*document));
    struct document_entry *entry = arena_alloc(documents->entries, sizeof(*entry));
    const struct policy *policy = &merged->policy;
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

const struct policy_document *documents_intern(struct documents *documents,
                                               const struct merged_policy *merged,
                                               struct arena *scratch, struct diag *diag)
{
    struct slice body, content;
    struct document_entry *entry;

    if (merged_policy_render(merged, scratch, diag, &body) != 0)
        return NULL;
    content = join_content(body, merged->keys.id_salt.text, scratch);
    HASH_FIND(hh, documents->by_content, content.ptr, content.len, entry);
    return entry ? entry->document : keep_document(documents, merged, body);
}

const struct reporting *reporting_keep(const struct merged_policy *merged, struct arena *keep)
{
    struct reporting *reporting;
    const char **rua;

    if (merged->n_rua == 0)
        return NULL;
    reporting = arena_alloc(keep, sizeof(*reporting));
    rua = arena_array(keep, merged->n_rua, sizeof(*rua));
    for (size_t i = 0; i < merged->n_rua; i++)
        rua[i] = arena_copy(keep, merged->rua[i]);
    *reporting = (struct reporting){rua, merged->n_rua};
    return reporting;
}
