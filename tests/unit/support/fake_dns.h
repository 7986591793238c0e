/* SPDX-License-Identifier: MIT */
/**
 * A DNS source that answers from rows of the test's own, each question in the next turn of the
 * loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "check/dns_source.h"
#include "lib/base/slice.h"

struct fake_dns_row {
    const char *name;
    enum dns_type type;
    enum dns_status status;
    bool secure;
    const char *canonical; /* NULL: the name */
    const struct slice *rdata;
    size_t n_rdata;
};

struct fake_dns {
    struct dns_source source;
    uv_loop_t *loop;
    const struct fake_dns_row *rows; /* what has no row does not exist, not securely */
    size_t n_rows;
    char asked[1024]; /* "A mx.example, AAAA mx.example" */
    unsigned n_open;  /* questions that are neither answered nor cancelled */
    unsigned n_most;  /* of them there were at a time */
};

struct fake_dns fake_dns_of(uv_loop_t *loop, const struct fake_dns_row *rows, size_t n_rows);
