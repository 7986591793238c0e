/* SPDX-License-Identifier: MIT */
/**
 * Wildcards: telling an answer that a wildcard in DNS makes from a record at the name itself.
 *
 * A record at a name keeps the wildcard above from answering for names below it, so that a name
 * below that nobody has published is answered only if the name itself does not stand in the zone.
 *
 * Pure. Source: RFC 4592 2.2.1, 3.3.1.
 */
#pragma once

#include <stdbool.h>

struct dns_answer;

/** Three answers of one type. */
struct wildcard_answers {
    const struct dns_answer *own;    /* for the name itself */
    const struct dns_answer *beside; /* for a name in the same zone that nobody has published */
    const struct dns_answer *below;  /* for such a name below the name itself */
};

/**
 * Whether names that nobody has published may exist. If not, there is no wildcard, and nothing
 * more is to be asked for.
 *
 * name  what was asked for
 */
bool check_wildcard_is_possible(const struct dns_answer *beside, const char *name);

/** Whether the records of the name, or its CNAME, come from a wildcard. */
bool check_wildcard_answers(const struct wildcard_answers *answers);
