/* SPDX-License-Identifier: MIT */
/**
 * Documents: policies rendered once and shared by every domain that has the same bytes and salt.
 *
 * Internal to config/.
 */
#pragma once

#include <stddef.h>

struct arena;
struct diag;
struct merged_policy;
struct policy_document;
struct reporting;
struct documents;

/** keep  owns the documents; uncapped. Never returns NULL. */
struct documents *documents_new(struct arena *keep);

/** Frees the index; the documents stay with their arena. */
void documents_free(struct documents *documents);

/**
 * Renders an expanded, checked policy, or finds what was rendered before.
 *
 * scratch  for the rendering; what is kept is copied
 * Returns NULL if merged_policy_render() fails; its findings are added.
 */
const struct policy_document *documents_intern(struct documents *documents,
                                               const struct merged_policy *merged,
                                               struct arena *scratch, struct diag *diag);

/** Copies the report addresses into `keep`; NULL if there are none. */
const struct reporting *reporting_keep(const struct merged_policy *merged, struct arena *keep);
