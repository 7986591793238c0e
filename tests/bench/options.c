/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECTIONS_MAX = 10000,
};

enum kind {
    TEXT,
    COUNT,
    REAL,
};

static const struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *help;
} rows[] = {
    {"address", TEXT, offsetof(struct options, address), "of the server (127.0.0.1)"},
    {"port", COUNT, offsetof(struct options, port), "of the server"},
    {"targets", TEXT, offsetof(struct options, targets), "file of the hosts and their answers"},
    {"certificates", TEXT, offsetof(struct options, certificates),
     "folder; check that each host's own certificate is presented"},
    {"fetches", COUNT, offsetof(struct options, n_fetches), "end after so many"},
    {"seconds", REAL, offsetof(struct options, seconds), "end after so long"},
    {"connections", COUNT, offsetof(struct options, n_connections),
     "so many at a time, with --rate at most (16)"},
    {"rate", REAL, offsetof(struct options, rate), "open loop: start so many a second"},
    {"seed", COUNT, offsetof(struct options, seed), "hosts at random; without it, each in order"},
    {"first", COUNT, offsetof(struct options, first), "the host to begin with, in order (0)"},
};

enum {
    N_ROWS = sizeof(rows) / sizeof(rows[0]),
};

static _Noreturn void usage(void)
{
    fputs("usage: bench_load --port PORT --targets FILE [OPTION...]\n", stderr);
    for (int i = 0; i < N_ROWS; i++)
        fprintf(stderr, "  --%-14s %s\n", rows[i].name, rows[i].help);
    exit(2);
}

static void set(struct options *options, const struct row *row, const char *text)
{
    void *field = (char *)options + row->offset;
    char *end = NULL;

    switch (row->kind) {
    case TEXT:
        *(const char **)field = text;
        return;
    case COUNT:
        *(size_t *)field = strtoull(text, &end, 10);
        break;
    case REAL:
        *(double *)field = strtod(text, &end);
        break;
    }
    if (end == text || *end != '\0')
        usage();
}

void options_parse(int argc, char **argv, struct options *ret_options)
{
    struct option names[N_ROWS + 1] = {0};
    int index;

    *ret_options = (struct options){
        .address = "127.0.0.1", .n_fetches = SIZE_MAX, .seconds = INFINITY, .n_connections = 16};
    for (int i = 0; i < N_ROWS; i++)
        names[i] = (struct option){rows[i].name, required_argument, NULL, 0};
    while (optind < argc) {
        if (getopt_long(argc, argv, "", names, &index) != 0)
            usage();
        set(ret_options, &rows[index], optarg);
    }
    if (ret_options->port == 0 || ret_options->port > UINT16_MAX || !ret_options->targets ||
        ret_options->n_connections == 0 || ret_options->n_connections > CONNECTIONS_MAX ||
        (ret_options->n_fetches == SIZE_MAX && isinf(ret_options->seconds)))
        usage();
}
