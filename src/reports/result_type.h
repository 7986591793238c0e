/* SPDX-License-Identifier: MIT */
/**
 * Result types: what each kind of failure in a TLS report means, and what to do about it.
 *
 * Pure. Source: RFC 8460 4.3, 6.6; RFC 8461 5 (which of them keep mail from being delivered).
 */
#pragma once

enum result_class {
    RESULT_NEGOTIATION, /* between a sender and an MX host: `mode: enforce` stops such mail */
    RESULT_POLICY_HOST, /* senders could not fetch the policy, or not use it: ours to repair */
    RESULT_DANE,        /* of DANE, which stops mail or not whatever our mode is */
    RESULT_UNKNOWN,     /* a type that no RFC knows, or none: it may stop mail */
};

struct result_type {
    const char *name; /* as in reports; NULL: of the row for all others */
    enum result_class class;
    const char *means;  /* the end of a sentence that begins with the sender */
    const char *advice; /* a sentence without its full stop */
};

/** The type with this name; one that is not known, or NULL, gives the row for all others. */
const struct result_type *result_type_find(const char *name);
