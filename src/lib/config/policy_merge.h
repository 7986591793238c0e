/* SPDX-License-Identifier: MIT */
/**
 * The merged policy: what one domain asks for once its named policy, its own keys, the defaults
 * and {domain} have come together.
 *
 * Internal to config/. Pure but for the arenas and findings handed in.
 */
#pragma once

#include <stdbool.h>

#include "lib/config/schema.h"
#include "lib/diag/config_finding.h"
#include "lib/policy/policy.h"

struct arena;
struct diag;

/** Stands for the domain when a named policy is checked by itself. */
#define POLICY_ANY_DOMAIN "example.com"

#define INTAKE "https:" /* in tls_rpt: this server itself */

/** Whether reports are taken in at the address that "https:" in tls_rpt stands for. */
enum intake {
    INTAKE_SERVED,
    INTAKE_WITHOUT_STATE, /* there is no place to keep them */
    INTAKE_WITHOUT_HOST,  /* the domain has no policy host, and there is no report_host */
};

struct merged_policy {
    struct raw_policy keys;            /* merged; what was not given has place.line 0 */
    const struct raw_policy *own_keys; /* of the entry itself: findings are about these */
    const char *domain;                /* stored form */
    const char *path;                  /* "policies.standard" or "domains.example.com" */
    struct place place;                /* of that entry */
    finding_set allow;                 /* warnings and notes that are not shown */
    bool needs_mx;                     /* false: no domain serves it, or TLS reporting only */
    enum intake intake;
    bool is_complete; /* false: some keys could not be read, so none is reported as missing */

    struct policy policy; /* set by merged_policy_expand() */
    struct slice *rua;    /* as published; set by merged_policy_expand() */
    size_t n_rua;
};

/** `own` where it is given, else `base`. */
struct raw_policy raw_policy_merge(const struct raw_policy *base, const struct raw_policy *own);

/** Whether any key but allow is given. */
bool raw_policy_is_given(const struct raw_policy *keys);

/** The findings that allow: names; raw_policy_check_allow() reports the texts that are no code. */
finding_set raw_policy_allow(const struct raw_policy *keys);

/** Adds a finding for each text under allow: that is no code, or that of an error. */
void raw_policy_check_allow(const struct raw_policy *keys, const char *path, struct diag *diag);

/** Whether {domain} or {domain_dashed} stands in `text`, which is NUL-terminated. */
bool text_has_domain(struct slice text);

/** Whether the body differs for each domain: an mx holds {domain}. */
bool raw_policy_has_domain_mx(const struct raw_policy *keys);

/** Whether the report addresses differ for each domain. */
bool raw_policy_has_domain_rua(const struct raw_policy *keys, const char *report_host);

/**
 * Fills policy and rua from the keys: defaults, {domain}, A-labels, "https:" as the address of our
 * own intake.
 *
 * report_host  NULL: the domain's own policy host
 * arena        owns the texts; uncapped
 */
void merged_policy_expand(struct merged_policy *merged, const char *report_host,
                          struct arena *arena);

/**
 * Renders an expanded, checked policy. Adds FINDING_BODY_LONG unless it is allowed, or the list of
 * mx is a named policy's and the finding is reported there.
 *
 * arena  owns *ret_body; uncapped
 * Returns 0, or -1 after adding FINDING_BODY_LIMIT.
 */
int merged_policy_render(const struct merged_policy *merged, struct arena *arena, struct diag *diag,
                         struct slice *ret_body);

/**
 * Checks an expanded policy and adds findings, each at the place of the key that it is about. A
 * finding about none of own_keys is left to the entry that has these keys, but for texts with
 * {domain}.
 *
 * Returns 0, or -1 if there was an error.
 */
int merged_policy_check(const struct merged_policy *merged, struct diag *diag);
