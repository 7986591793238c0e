/* SPDX-License-Identifier: MIT */
/**
 * Host probes: the ways in which senders, and others, ask a policy host for the policy, beside the
 * ordinary one; and what a server's answer to each says of it.
 *
 * Pure, safe from any thread.
 * Source: RFC 8461 3.3, 7.1, 8.2; what real senders send, from their sources and captured requests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "check/check_finding.h"
#include "check/http_fetch.h"

enum {
    HOST_PROBES_MAX = 16,
    HOST_FAULT_TEXT_MAX = 520,
};

/** What of a probe's answer is a fault. */
enum host_probe_goal {
    PROBE_WANTS_POLICY,  /* anything but the policy */
    PROBE_WANTS_REFUSAL, /* a policy, as the host that is asked for does not exist */
};

struct host_probe {
    struct http_manner manner; /* header_host is for the one who asks to set */
    enum host_probe_goal goal;
    bool asks_other_name;  /* for a host that does not exist: in the handshake too */
    bool asks_other_host;  /* likewise, in HTTP alone */
    bool asks_for_changes; /* since the policy was first fetched: headers are to be set */
    bool is_of_server;     /* all policy hosts at an address have the same answer */
    enum check_finding finding;
    const char *what; /* the begin of a sentence that says what was seen */
};

/** The nth probe; NULL: there are no more. At most HOST_PROBES_MAX. */
const struct host_probe *host_probe_at(size_t nth);

/** Whether the answer is a policy, as a sender takes it but for its media type. */
bool host_probe_has_policy(const struct http_result *result);

/**
 * Judges the answer to a probe.
 *
 * ret_finding, text  what the fault is, if there is one
 * Returns whether there is a fault.
 */
bool host_probe_judge(const struct host_probe *probe, const struct http_result *result,
                      enum check_finding *ret_finding, char text[static HOST_FAULT_TEXT_MAX]);
