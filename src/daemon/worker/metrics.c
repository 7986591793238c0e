/* SPDX-License-Identifier: MIT */
#include "daemon/worker/metrics.h"

#define METRICS_ITEM(code) code,
const unsigned metrics_codes[METRICS_CODE_COUNT] = {METRICS_CODES(METRICS_ITEM) 0};

const char *handshake_result_name(enum handshake_result result)
{
    static const char *const names[HANDSHAKE_RESULT_COUNT] = {"ok", "unknown_name",
                                                              "no_certificate", "failed"};

    return names[result];
}

const char *end_reason_name(enum end_reason end)
{
    static const char *const names[END_REASON_COUNT] = {"answered",
                                                        "peer",
                                                        "handshake_deadline",
                                                        "request_deadline",
                                                        "answer_deadline",
                                                        "evicted",
                                                        "memory",
                                                        "refused",
                                                        "drained",
                                                        "proxy_untrusted",
                                                        "proxy_header"};

    return names[end];
}

const char *report_result_name(enum report_result result)
{
    static const char *const names[REPORT_RESULT_COUNT] = {
        "kept", "refused", "too_large", "limited", "busy", "full", "failed", "late"};

    return names[result];
}

/* A load and a store, not an atomic addition: nobody else writes. */
static void metrics_add_one(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

void metrics_count(_Atomic uint64_t *counter)
{
    metrics_add_one(counter, 1);
}

void metrics_set(_Atomic uint64_t *gauge, uint64_t value)
{
    atomic_store_explicit(gauge, value, memory_order_relaxed);
}

void metrics_count_request(struct metrics *metrics, unsigned status)
{
    size_t i = 0;

    while (i < METRICS_CODE_COUNT - 1 && metrics_codes[i] != status)
        i++;
    metrics_count(&metrics->requests[i]);
}

static void metrics_add_row(_Atomic uint64_t *sums, const _Atomic uint64_t *counters, size_t n)
{
    for (size_t i = 0; i < n; i++)
        metrics_add_one(&sums[i], atomic_load_explicit(&counters[i], memory_order_relaxed));
}

void metrics_add(struct metrics *sum, const struct metrics *metrics)
{
    metrics_add_row(sum->requests, metrics->requests, METRICS_CODE_COUNT);
    metrics_add_row(sum->handshakes, metrics->handshakes, HANDSHAKE_RESULT_COUNT);
    metrics_add_row(sum->ends, metrics->ends, END_REASON_COUNT);
    metrics_add_row(sum->reports, metrics->reports, REPORT_RESULT_COUNT);
    metrics_add_row(&sum->opened, &metrics->opened, 1);
    metrics_add_row(&sum->turns, &metrics->turns, 1);
    metrics_add_row(&sum->memory_bytes, &metrics->memory_bytes, 1);
    metrics_add_row(&sum->memory_max, &metrics->memory_max, 1);
}
