/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_record.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct event_ring {
    /* Only ever growing; the difference is what is in the ring. Each is written by one side. */
    _Atomic size_t n_committed;
    _Atomic size_t n_released;
    _Atomic uint64_t n_dropped;
    size_t mask;
    struct event events[];
};

struct event_ring *event_ring_new(size_t capacity)
{
    struct event_ring *ring;
    size_t size = 1;

    while (size < capacity)
        size *= 2;
    ring = memory_alloc(sizeof(*ring) + size * sizeof(ring->events[0]));
    atomic_init(&ring->n_committed, 0);
    atomic_init(&ring->n_released, 0);
    atomic_init(&ring->n_dropped, 0);
    ring->mask = size - 1;
    return ring;
}

void event_ring_free(struct event_ring *ring)
{
    free(ring);
}

struct event *event_ring_reserve(struct event_ring *ring)
{
    size_t committed = atomic_load_explicit(&ring->n_committed, memory_order_relaxed);
    size_t released = atomic_load_explicit(&ring->n_released, memory_order_acquire);
    struct event *event = &ring->events[committed & ring->mask];

    if (committed - released > ring->mask) {
        atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
        return NULL;
    }
    memset(event, 0, sizeof(*event));
    return event;
}

void event_ring_commit(struct event_ring *ring)
{
    atomic_fetch_add_explicit(&ring->n_committed, 1, memory_order_release);
}

const struct event *event_ring_peek(struct event_ring *ring)
{
    size_t released = atomic_load_explicit(&ring->n_released, memory_order_relaxed);

    if (released == atomic_load_explicit(&ring->n_committed, memory_order_acquire))
        return NULL;
    return &ring->events[released & ring->mask];
}

void event_ring_release(struct event_ring *ring)
{
    atomic_fetch_add_explicit(&ring->n_released, 1, memory_order_release);
}

uint64_t event_ring_take_dropped(struct event_ring *ring)
{
    return atomic_exchange_explicit(&ring->n_dropped, 0, memory_order_relaxed);
}

void event_set_text(char *buffer, size_t size, struct slice bytes)
{
    size_t len = bytes.len < size ? bytes.len : size - 1;

    if (len > 0)
        memcpy(buffer, bytes.ptr, len);
    buffer[len] = '\0';
}

static void print_time(const struct event *event, FILE *out)
{
    time_t seconds = (time_t)(event->at_unix_ms / 1000);
    char text[sizeof("2026-11-23T17:00:00")];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(out, "%s.%03dZ", text, (int)(event->at_unix_ms % 1000));
}

/* What a peer sent goes out in quotes and escaped, so that it can forge neither line nor colour. */
static void print_quoted(const char *text, FILE *out)
{
    char quoted[1024 + 8];

    fputs(err_quote(quoted, sizeof(quoted), slice_of(text)), out);
}

void event_print_text(const struct event *event, FILE *out)
{
    print_time(event, out);
    fprintf(out, " %s ", event->peer[0] != '\0' ? event->peer : "unix");
    print_quoted(event->server, out);
    fputc(' ', out);
    print_quoted(event->method, out);
    fputc(' ', out);
    print_quoted(event->path, out);
    fprintf(out, " %u %u %s ", event->status, event->body_len,
            event->tls_version ? event->tls_version : "plain");
    print_quoted(event->agent, out);
    fputc('\n', out);
}

static void print_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, ", \"%s\": ", name);
    json_print_text(text, out);
}

void event_print_json(const struct event *event, FILE *out)
{
    fputs("{\"time\": \"", out);
    print_time(event, out);
    fputc('"', out);
    print_member("peer", event->peer[0] != '\0' ? event->peer : NULL, out);
    print_member("server", event->server, out);
    print_member("method", event->method, out);
    print_member("path", event->path, out);
    fprintf(out, ", \"status\": %u, \"bytes\": %u", event->status, event->body_len);
    print_member("tls", event->tls_version, out);
    print_member("agent", event->agent, out);
    fputs("}\n", out);
}
