/* SPDX-License-Identifier: MIT */
/**
 * The schema: the rows of every mapping in the YAML, and the structs that they fill.
 *
 * The structs hold values as they were written, each with its place; build.h and settings.h make a
 * snapshot of them. Internal to config/, except for the rows, from which documents are printed.
 */
#pragma once

#include "lib/yaml/decode.h"

/** The keys that a policy has, and that a domain may override. */
struct raw_policy {
    struct field_number mode; /* enum policy_mode */
    struct field_texts mx;
    struct field_number max_age; /* seconds */
    struct field_texts tls_rpt;
    struct field_text id_salt;
    struct field_texts allow;
};

/** One entry under domains:, of either form. */
struct raw_domain {
    struct raw_policy keys; /* first: the domain's rows have the policy's as their base */
    struct field_text policy;
    struct field_number mta_sts;   /* switch */
    struct field_number delegated; /* bits of DELEGATED_* */
    struct field_text zone;
    struct field_texts aliases;
    bool is_alias;    /* of another entry: what is wrong with its keys is reported there */
    const char *name; /* stored form */
    const char *path; /* "domains.example.com" */
    struct place place;
    bool is_broken; /* an error in the entry is reported; perhaps not all of its keys are here */
};

struct raw_listen {
    struct field_text address;
    struct field_number tls;   /* switch */
    struct field_number serve; /* SERVE_* */
    struct {
        struct field_texts trusted;
    } proxy_protocol;
};

enum {
    SERVE_POLICIES,
    SERVE_CHALLENGES,
};

struct raw_source {
    struct field_text chain;
    struct field_text key;
};

struct raw_acme {
    struct field_number agree_to_terms; /* switch; required, so that its place is that of acme: */
    struct field_text directory, account_email, external_account_binding;
    struct field_number renew_before; /* seconds */
    struct field_number orders_per_hour;
    struct field_number orders; /* switch */
    struct field_text challenges_at;
};

/** Everything in the main file but policies and domains. */
struct raw_settings {
    struct field_groups listen; /* struct raw_listen */
    struct field_text admin, control, state, user;
    struct field_number sandbox; /* switch */
    struct field_number workers;
    struct field_number shutdown_delay;
    struct {
        struct field_number connections, per_source, memory_mib, removed_percent;
    } limits;
    struct {
        struct field_number level, access;
    } log;
    struct field_groups certificates; /* struct raw_source */
    struct {
        struct field_text name;
        struct field_texts addresses;
    } policy_host;
    struct field_text report_host;
    struct field_text delegation_zone;
    struct {
        struct field_number mta_sts, policy_host, tls_rpt;
    } ttl;
    struct {
        struct field_texts run;
        struct field_number timeout; /* seconds */
    } on_change;
    struct {
        struct field_texts run;
        struct field_number digest;   /* index of its word: daily, weekly, off */
        struct field_number cooldown; /* seconds */
    } notify;
    struct {
        struct field_number every; /* seconds */
    } check;
    struct {
        struct field_text authserv_id;
        struct field_number ready_after, late, tolerated; /* seconds; seconds; per million */
    } reports;
    struct raw_acme acme;
    struct field_texts include;
};

/** The keys of the main file, of an included one, of one policy, of one domain's long form. */
extern const struct fields schema_main, schema_include, schema_policy, schema_domain;
