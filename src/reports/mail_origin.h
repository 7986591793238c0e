/* SPDX-License-Identifier: MIT */
/**
 * Mail origin: whose mail this is, and whether the server that received the mail has proven that.
 *
 * Pure, one thread at a time. Source: RFC 5322 3.6.2 (From), RFC 6376 3.5 (d=, l=), RFC 8460 3.
 */
#pragma once

#include <gmime/gmime.h>
#include <stdbool.h>

#include "lib/dns/name.h"

struct mail_origin {
    char from_domain[DNS_NAME_MAX + 1]; /* in stored form; "": none, or more than one address */
    bool is_dkim_verified;
};

/**
 * Reads the fields of a mail.
 *
 * authserv_id  of the server that is believed; NULL: none is, and nothing is verified
 */
void mail_origin_read(GMimeHeaderList *fields, const char *authserv_id,
                      struct mail_origin *ret_origin);
