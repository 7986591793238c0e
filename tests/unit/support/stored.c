/* SPDX-License-Identifier: MIT */
#include "support/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/report_database.h"
#include "reports/report_sqlite.h"

void stored_open(struct stored *stored)
{
    struct err err = {0};

    snprintf(stored->directory, sizeof(stored->directory), "/tmp/mta-stsd-stored-XXXXXX");
    assert_non_null(mkdtemp(stored->directory));
    if (report_database_open(stored->directory, &stored->database, &err) != 0)
        fail_msg("%s", err.msg);
}

void stored_close(struct stored *stored)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[128];

    report_database_close(stored->database);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        snprintf(path, sizeof(path), "%s/" REPORT_DATABASE_FILE "%s", stored->directory,
                 endings[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(stored->directory), 0);
}

struct tls_policy stored_policy(const char *domain)
{
    static const char *const lines[] = {"version: STSv1", "mode: testing", "mx: mx1.example.com",
                                        "max_age: 86400"};

    return (struct tls_policy){.type = TLS_POLICY_STS,
                               .type_text = "sts",
                               .domain = domain,
                               .strings = lines,
                               .n_strings = ARRAY_LEN(lines),
                               .n_successful = 100};
}

struct tls_report stored_report(const struct tls_policy *policies, size_t n_policies)
{
    return (struct tls_report){.organization = "Google Inc.",
                               .contact = "smtp-tls-reporting@google.com",
                               .report_id = "2024-10-04T00:00:00Z_example.com",
                               .start_unix_s = STORED_START,
                               .end_unix_s = STORED_START + 86399,
                               .policies = policies,
                               .n_policies = n_policies};
}

struct report_meta stored_meta(enum report_proof proof)
{
    struct report_meta meta = {.received_unix_s = STORED_NOW,
                               .transport = REPORT_BY_MAIL,
                               .proof = proof,
                               .peer = SLICE_BYTES("192.0.2.1")};

    if (proof >= REPORT_PROOF_PEER)
        meta.proven_domain = slice_of("google.com");
    return meta;
}

static bool stored_is_ours(const void *context, const char *domain)
{
    (void)context;
    return !slice_ends_with(slice_of(domain), ".foreign");
}

enum report_outcome stored_add(struct stored *stored, const struct tls_report *report,
                               const char *json, const struct report_meta *meta)
{
    enum report_outcome outcome = REPORT_NEW;
    struct err err;

    if (report_database_begin(stored->database, &err) != 0 ||
        report_store_add(stored->database, report, slice_of(json), meta, stored_is_ours, NULL,
                         &outcome, &err) != 0 ||
        report_database_commit(stored->database, &err) != 0)
        fail_msg("%s", err.msg);
    return outcome;
}

int64_t stored_number(const struct stored *stored, const char *sql)
{
    sqlite3_int64 number = -1;
    struct err err;

    if (report_sqlite_number(report_database_connection(stored->database), sql, "cannot be read",
                             &number, &err) != 0)
        fail_msg("%s: %s", sql, err.msg);
    return number;
}
