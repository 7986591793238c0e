/* SPDX-License-Identifier: MIT */
/**
 * The log ring: what a worker has to tell the log, in a bounded buffer that never makes it wait.
 *
 * A ring has one producer, its worker, and one consumer, the control plane, which formats and
 * writes: a write may block. A full ring drops and counts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct clock;
struct log_record;
struct log_ring;

/** Called by the producer after each record. Must not block. */
typedef void log_ring_notify(void *context);

/**
 * capacity  records, rounded up to a power of two
 * clock     whose wall clock stamps the records
 * Never returns NULL.
 */
struct log_ring *log_ring_new(size_t capacity, const struct clock *clock, log_ring_notify *notify,
                              void *context);

/** Takes NULL. */
void log_ring_free(struct log_ring *ring);

/** Copies the record into the ring, stamps the copy with the time and notifies the consumer; a
 * full ring only counts the record. Producer only. */
void log_ring_push(struct log_ring *ring, const struct log_record *record);

/** The oldest record, or NULL. Consumer only; the record stays until log_ring_release(). */
const struct log_record *log_ring_peek(struct log_ring *ring);
void log_ring_release(struct log_ring *ring);

/** How many records were dropped since the last call. Consumer only. */
uint64_t log_ring_take_dropped(struct log_ring *ring);
