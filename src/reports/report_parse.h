/* SPDX-License-Identifier: MIT */
/**
 * Parsing reports: the JSON of a TLS report, in every shape that senders give it.
 *
 * Only what is no report at all is refused. What one member says wrongly makes that member unknown
 * and leaves the rest; what has the wrong shape but one meaning is understood: one object for an
 * array of one, a text for an array of lines, a number for a text. Members that no RFC knows are
 * left out.
 *
 * Safe from any thread. Source: RFC 8460 4.4, and what Google, Microsoft, Mail.ru, Postfix,
 * Stalwart, Halon, SocketLabs and mox send.
 */
#pragma once

#include "lib/base/slice.h"

struct arena;
struct err;
struct tls_report;

/**
 * Parses a report.
 *
 * json         not compressed; bounds are those of json_tidy()
 * domain_hint  the domain that the mail or the file name says the report is about; for policies
 *              without one. Empty: not known
 * arena        owns *ret_report and all that it points to; uncapped
 * Returns 0, or -1 with *err set: as json_tidy().
 */
int report_parse(struct slice json, struct slice domain_hint, struct arena *arena,
                 const struct tls_report **ret_report, struct err *err);
