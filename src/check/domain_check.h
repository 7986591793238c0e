/* SPDX-License-Identifier: MIT */
/**
 * Checking one domain: all questions, in their order, and the judgement of all answers.
 *
 * One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "check/check_host.h"
#include "check/check_mx.h"
#include "check/verdict.h"

struct config;
struct dns_source;
struct domain_check;
struct findings;
struct host_visits;
struct http_fetcher;
struct mx_hosts;
struct zone_servers_options;

/** What all checks of a run share. */
struct check_tools {
    const struct zone_servers_options *servers; /* NULL: name servers are not compared */
    struct dns_source *dns;
    struct http_fetcher *http;
    struct host_visits *hosts;
    struct mx_hosts *mx;         /* NULL: MX hosts are not visited */
    const struct config *config; /* NULL: no domain is ours */
    bool allow_private;          /* to contact special addresses */
    const char *probe_label;     /* a label that nobody has published */
    int64_t now_unix_s;
};

/** What was found; valid in the callback only. */
struct domain_report {
    const char *domain;
    bool is_ours;
    enum verdict verdict;
    struct verdict_facts facts;
    const struct findings *findings;
    const char *id;              /* of the _mta-sts record; NULL: there is no usable one */
    const struct policy *policy; /* NULL: none can be parsed */
    const struct host_address *addresses;
    size_t n_addresses;
    const struct mx_record *mx;
    size_t n_mx;
};

typedef void domain_checked(void *context, const struct domain_report *report);

/**
 * Begins; the callback comes once, never from inside this call.
 *
 * tools   outlive the check
 * domain  stored form; copied
 */
struct domain_check *domain_check_start(const struct check_tools *tools, const char *domain,
                                        domain_checked *callback, void *context);
