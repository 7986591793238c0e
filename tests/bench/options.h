/* SPDX-License-Identifier: MIT */
/**
 * The command line of bench_load.
 */
#pragma once

#include <stddef.h>

struct options {
    const char *address; /* numeric IPv4 */
    size_t port;
    const char *targets;      /* file */
    const char *certificates; /* folder; NULL: certificates are not looked at */
    size_t n_fetches;         /* SIZE_MAX: without end */
    double seconds;           /* INFINITY: without end */
    size_t n_connections;     /* at a time, at most */
    double rate;              /* fetches a second; 0: closed loop */
    size_t seed;              /* 0: each host in order */
    size_t first;             /* of the hosts, in order */
};

/** Ends the program, with how to use it, unless there is what it needs and nothing else. */
void options_parse(int argc, char **argv, struct options *ret_options);
