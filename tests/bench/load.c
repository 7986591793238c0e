/* SPDX-License-Identifier: MIT */
/*
 * bench_load: fetches policies as senders do, checks every answer, prints how it went as JSON.
 *
 * Closed loop, so many fetches at a time, or open loop, so many started each second whether or not
 * the server keeps up; there a fetch's time counts from when it was due.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "options.h"
#include "random.h"
#include "targets.h"

enum {
    EVENTS_MAX = 256,
    TIMEOUT_S = 10,
};

static const int64_t second_ns = 1000000000;

struct load {
    struct options options;
    struct client client;
    struct secrets secrets;
    struct targets targets;
    struct fetch *fetches;
    struct fetch **idle; /* a stack */
    size_t n_idle;
    uint64_t random;
    int64_t start_ns;
    size_t n_started;
    size_t counts[OUTCOME_COUNT];
    float *times_ms; /* of the good ones */
    size_t n_times, times_size;
};

static int64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second_ns + time.tv_nsec;
}

static const struct target *choose_target(struct load *load)
{
    const struct options *options = &load->options;
    uint64_t number = options->seed ? random_next(&load->random) : options->first + load->n_started;

    return &load->targets.items[number % load->targets.n_items];
}

static void add_time(struct load *load, int64_t ns)
{
    if (load->n_times == load->times_size) {
        load->times_size = load->times_size * 2 + 65536;
        load->times_ms = reallocarray(load->times_ms, load->times_size, sizeof(*load->times_ms));
        if (!load->times_ms)
            abort();
    }
    load->times_ms[load->n_times++] = (float)ns / 1e6F;
}

static void finish(struct load *load, struct fetch *fetch, enum outcome outcome)
{
    load->counts[outcome]++;
    if (outcome == OUTCOME_GOOD)
        add_time(load, now_ns() - fetch->due_ns);
    load->idle[load->n_idle++] = fetch;
}

static void start_one(struct load *load, int64_t due_ns)
{
    struct fetch *fetch = load->idle[--load->n_idle];
    const struct target *target = choose_target(load);
    enum outcome outcome;

    load->n_started++;
    fetch->due_ns = due_ns;
    outcome = fetch_start(fetch, &load->client, target);
    if (outcome != OUTCOME_PENDING)
        finish(load, fetch, outcome);
}

static bool has_more(const struct load *load, int64_t now)
{
    return load->n_started < load->options.n_fetches &&
           (double)(now - load->start_ns) < load->options.seconds * (double)second_ns;
}

static int64_t next_due_ns(const struct load *load)
{
    return load->start_ns +
           (int64_t)((double)load->n_started / load->options.rate * (double)second_ns);
}

/* Starts what is due. Returns the nanoseconds until more is, or -1: only an end brings more. */
static int64_t start_due(struct load *load)
{
    for (;;) {
        int64_t now = now_ns(), due = now;

        if (load->n_idle == 0 || !has_more(load, now))
            return -1;
        if (load->options.rate > 0.0)
            due = next_due_ns(load);
        if (due > now)
            return due - now;
        start_one(load, due);
    }
}

static void drop_late(struct load *load, int64_t now)
{
    for (size_t i = 0; i < load->options.n_connections; i++) {
        struct fetch *fetch = &load->fetches[i];

        if (fetch->fd < 0 || now - fetch->due_ns < TIMEOUT_S * second_ns)
            continue;
        fetch_abandon(fetch);
        finish(load, fetch, OUTCOME_LATE);
    }
}

static void wait_for_peers(struct load *load, int64_t wait_ns)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec timeout = {.tv_sec = 1};
    int n;

    if (wait_ns >= 0 && wait_ns < second_ns)
        timeout = (struct timespec){.tv_nsec = wait_ns};
    n = epoll_pwait2(load->client.epoll_fd, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < n; i++) {
        struct fetch *fetch = events[i].data.ptr;
        enum outcome outcome = fetch_advance(fetch);

        if (outcome != OUTCOME_PENDING)
            finish(load, fetch, outcome);
    }
}

static void run(struct load *load)
{
    int64_t swept_ns;

    load->start_ns = swept_ns = now_ns();
    for (;;) {
        int64_t wait_ns = start_due(load), now = now_ns();

        if (load->n_idle == load->options.n_connections && !has_more(load, now))
            return;
        wait_for_peers(load, wait_ns);
        if (now - swept_ns < second_ns)
            continue;
        drop_late(load, now);
        swept_ns = now;
    }
}

static int compare_times(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

static double percentile(const struct load *load, double part)
{
    if (load->n_times == 0)
        return 0.0;
    return (double)load->times_ms[(size_t)(part * (double)(load->n_times - 1) + 0.5)];
}

static void print(struct load *load, double seconds)
{
    size_t n_failed = 0;

    if (load->n_times > 0)
        qsort(load->times_ms, load->n_times, sizeof(*load->times_ms), compare_times);
    printf("{\"fetches\": %zu, \"seconds\": %.3f, \"per_second\": %.1f, ",
           load->counts[OUTCOME_GOOD], seconds, (double)load->counts[OUTCOME_GOOD] / seconds);
    printf("\"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, ",
           percentile(load, 0.5), percentile(load, 0.9), percentile(load, 0.99),
           percentile(load, 0.999));
    for (int i = OUTCOME_GOOD + 1; i < OUTCOME_COUNT; i++) {
        printf("\"%s\": %zu, ", outcome_names[i], load->counts[i]);
        n_failed += load->counts[i];
    }
    printf("\"failures\": %zu}\n", n_failed);
}

static void prepare(struct load *load)
{
    const struct options *options = &load->options;
    struct sockaddr_in *server = (struct sockaddr_in *)&load->client.server;

    targets_load(options->targets, &load->targets);
    if (options->certificates)
        targets_read_leaves(&load->targets, options->certificates);
    *server =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    if (inet_pton(AF_INET, options->address, &server->sin_addr) != 1) {
        fprintf(stderr, "bench_load: '%s' is not an IPv4 address\n", options->address);
        exit(2);
    }
    secrets_init(&load->secrets);
    load->client.server_len = sizeof(*server);
    load->client.checks_certificates = options->certificates != NULL;
    load->client.secrets = &load->secrets;
    load->client.random = (uint64_t)now_ns();
    load->client.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->random = options->seed;
    load->fetches = calloc(options->n_connections, sizeof(*load->fetches));
    load->idle = calloc(options->n_connections, sizeof(struct fetch *));
    if (!load->fetches || !load->idle || load->client.epoll_fd < 0)
        abort();
    for (size_t i = 0; i < options->n_connections; i++) {
        load->fetches[i].fd = -1;
        load->idle[load->n_idle++] = &load->fetches[i];
    }
}

static void clean_up(struct load *load)
{
    close(load->client.epoll_fd);
    secrets_done(&load->secrets);
    targets_done(&load->targets);
    free(load->fetches);
    free(load->idle);
    free(load->times_ms);
}

int main(int argc, char **argv)
{
    static struct load load;

    options_parse(argc, argv, &load.options);
    prepare(&load);
    run(&load);
    print(&load, (double)(now_ns() - load.start_ns) / (double)second_ns);
    clean_up(&load);
    return 0;
}
