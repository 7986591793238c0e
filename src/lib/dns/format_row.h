/* SPDX-License-Identifier: MIT */
/**
 * What the output formats share: their rows for the table, and text that stays on its line.
 *
 * For dns/format*.c only.
 */
#pragma once

#include <stdio.h>

#include "lib/dns/format.h"

extern const struct dns_format dns_format_dnscontrol;
extern const struct dns_format dns_format_json;
extern const struct dns_format dns_format_nsupdate;
extern const struct dns_format dns_format_octodns;
extern const struct dns_format dns_format_panel;
extern const struct dns_format dns_format_powerdns;
extern const struct dns_format dns_format_terraform_cloudflare;
extern const struct dns_format dns_format_terraform_route53;
extern const struct dns_format dns_format_zone;

enum {
    DNS_STRING_MAX = 255, /* octets of a character-string (RFC 1035 3.3) */
};

/** Prints a record's value as master files have it (RFC 1035 5.1): a target with its final dot. */
void dns_print_rdata(const struct dns_record *record, FILE *out);

/** The same as a text, for what escapes it once more; for free(). */
char *dns_rdata_text(const struct dns_record *record);

/**
 * The record's name as its zone has it: without the zone's; `apex` if it is the zone's, whole if it
 * lies outside.
 */
struct slice dns_relative_name(const struct dns_record *record, const char *apex);

/**
 * Prints text for the eye: bytes outside printable ASCII become \xNN, so that a comment ends where
 * its line ends whatever a reason or a value holds.
 */
void dns_print_visible(struct slice text, FILE *out);
