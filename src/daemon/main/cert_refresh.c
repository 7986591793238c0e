/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_refresh.h"

#include <stdlib.h>

#include <uv.h>

#include "daemon/confine/sandbox.h"
#include "daemon/main/cert_scan.h"
#include "daemon/main/job.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/arena.h"
#include "lib/base/log.h"

enum {
    REFRESH_MS = 60 * 1000,
};

struct cert_refresh {
    uv_timer_t timer;
    struct job *job;
    struct sandbox *sandbox;
    struct cert_store *const *in_use;
    struct cert_store *store; /* that the job looks at; one reference */
    struct cert_store *next;  /* to be looked at after it; one reference, or NULL */
    struct cert_scan *scan;
};

static void log_cert_change(void *context, enum log_level level, const char *host,
                            const char *message)
{
    (void)context;
    log_line(level, "%s: %s", host, message);
}

static void refresh_store(void *context)
{
    struct cert_refresh *refresh = context;

    sandbox_watch(refresh->sandbox);
    cert_store_refresh(refresh->store, log_cert_change, NULL);
}

static void refresh_next(struct cert_refresh *refresh)
{
    refresh->store = refresh->next;
    refresh->next = NULL;
    if (refresh->store)
        job_start(refresh->job);
}

static void on_store_refreshed(void *context)
{
    struct cert_refresh *refresh = context;

    cert_store_unref(refresh->store);
    cert_scan_look(refresh->scan);
    refresh_next(refresh);
}

static void on_refresh_timer(uv_timer_t *timer)
{
    cert_refresh_start(timer->data);
}

struct cert_refresh *cert_refresh_new(struct uv_loop_s *loop, struct cert_store *const *store,
                                      struct sandbox *sandbox, struct cert_scan *scan)
{
    struct cert_refresh *refresh = memory_alloc(sizeof(*refresh));

    *refresh = (struct cert_refresh){.in_use = store, .sandbox = sandbox, .scan = scan};
    refresh->job = job_new(loop, refresh_store, on_store_refreshed, refresh);
    uv_timer_init(loop, &refresh->timer);
    refresh->timer.data = refresh;
    uv_timer_start(&refresh->timer, on_refresh_timer, REFRESH_MS, REFRESH_MS);
    return refresh;
}

void cert_refresh_free(struct cert_refresh *refresh)
{
    if (!refresh)
        return;
    job_free(refresh->job);
    free(refresh);
}

void cert_refresh_start(struct cert_refresh *refresh)
{
    cert_store_unref(refresh->next);
    refresh->next = cert_store_ref(*refresh->in_use);
    if (!refresh->store)
        refresh_next(refresh);
}
