/* SPDX-License-Identifier: MIT */
/**
 * The id of a policy: what tells senders in DNS that the policy has changed.
 *
 * The first 32 hexadecimal digits of SHA-256 over the exact bytes served, followed, if there is a
 * salt, by a NUL and the salt. It is frozen: the same bytes have the same id in every version, on
 * every machine. Pure, safe from any thread.
 * Source: RFC 8461 3.1 (sts-id), 8.1 (why it must follow the bytes).
 */
#pragma once

struct slice;

enum {
    POLICY_ID_LEN = 32,
};

/**
 * body    the bytes served
 * salt    id_salt of the configuration; empty: none
 * ret_id  lower-case hexadecimal digits, NUL-terminated
 */
void policy_id_compute(struct slice body, struct slice salt, char ret_id[POLICY_ID_LEN + 1]);
