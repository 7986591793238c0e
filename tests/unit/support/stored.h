/* SPDX-License-Identifier: MIT */
/** A database of reports in a directory of its own, and reports to fill it with. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "reports/report_meta.h"
#include "reports/report_store.h"
#include "reports/tls_report.h"

struct report_database;

enum {
    STORED_DAY = 20000,                 /* of the reports */
    STORED_START = STORED_DAY * 86400,  /* its midnight */
    STORED_NOW = STORED_START + 100000, /* when they are received */
};

struct stored {
    char directory[64];
    struct report_database *database;
};

/** Fails the test if something cannot be made. */
void stored_open(struct stored *stored);
void stored_close(struct stored *stored);

/** A report of google.com: 100 sessions under a policy, none of which failed. */
struct tls_report stored_report(const struct tls_policy *policies, size_t n_policies);
struct tls_policy stored_policy(const char *domain);

/** By DKIM of google.com, at STORED_NOW. */
struct report_meta stored_meta(enum report_proof proof);

/** Adds in a group of its own; every domain but those of *.foreign is ours. */
enum report_outcome stored_add(struct stored *stored, const struct tls_report *report,
                               const char *json, const struct report_meta *meta);

/** What a statement gives as a number. */
int64_t stored_number(const struct stored *stored, const char *sql);
