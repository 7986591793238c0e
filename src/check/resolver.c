/* SPDX-License-Identifier: MIT */
#include "check/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unbound.h>
#include <unistd.h>
#include <utlist.h>

#include "check/dns_source.h"
#include "check/special_address.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"

/* Debian keeps this one up to date. */
#define ROOT_KEY_FILE "/usr/share/dns/root.key"

/* The two keys of the root, of 2017 and 2024, for a system without that file. */
static const char *const root_keys[] = {
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

enum {
    CLASS_IN = 1,
    SWEEP_MS = 100,
    WHY_MAX = 300,
};

struct dns_query {
    struct resolver *resolver;
    struct dns_query *prev, *next;
    dns_answered *callback;
    void *context;
    uint64_t deadline_ms;
    struct dns_query **list; /* of the resolver, that it stands in */
    int id;
    const char *refused; /* libunbound did not take the question */
};

struct resolver {
    struct dns_source source; /* first: a source is turned back into its resolver */
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t timer;
    struct ub_ctx *context;
    struct dns_query *queries; /* that run, the oldest first */
    struct dns_query *ending;  /* that a sweep has found, and whose callbacks are still to come */
    uint64_t timeout_ms;
    unsigned n_handles;
};

/* The query stands in no list any more. */
static void query_answer(struct dns_query *query, const struct dns_answer *answer)
{
    query->callback(query->context, answer);
    free(query);
}

static void query_fail(struct dns_query *query, const char *why)
{
    query_answer(query, &(struct dns_answer){.status = DNS_FAILED, .canonical = "", .why = why});
}

static const char *rcode_words(int rcode)
{
    switch (rcode) {
    case 2:
        return "SERVFAIL: its name servers do not answer, or answer with errors";
    case 5:
        return "REFUSED";
    default:
        return "an error";
    }
}

static void result_drop_dot(char *name)
{
    size_t len = strlen(name);

    if (len > 0 && name[len - 1] == '.')
        name[len - 1] = '\0';
    for (char *at = name; *at; at++)
        *at = ascii_to_lower(*at);
}

/* The record data as slices; freed by the caller. */
static struct slice *result_slices(const struct ub_result *result, size_t *ret_n)
{
    struct slice *rdata;
    size_t n = 0;

    while (result->data && result->data[n])
        n++;
    rdata = memory_alloc((n + 1) * sizeof(*rdata));
    for (size_t i = 0; i < n; i++)
        rdata[i] = (struct slice){result->data[i], (size_t)result->len[i]};
    *ret_n = n;
    return rdata;
}

static enum dns_status result_status(const struct ub_result *result)
{
    if (result->bogus)
        return DNS_BOGUS;
    if (result->havedata)
        return DNS_OK;
    if (result->nxdomain)
        return DNS_NXDOMAIN;
    return result->rcode == 0 ? DNS_NODATA : DNS_FAILED;
}

static void query_on_result(void *context, int error, struct ub_result *result)
{
    struct dns_query *query = context;
    struct dns_answer answer = {.why = ""};
    struct slice *rdata;
    char why[WHY_MAX], *canonical;

    DL_DELETE(query->resolver->queries, query);
    if (error != 0 || !result) {
        query_fail(query, ub_strerror(error));
        return;
    }
    canonical = result->canonname && result->canonname[0] ? result->canonname : result->qname;
    result_drop_dot(canonical);
    answer.canonical = canonical;
    rdata = result_slices(result, &answer.n_rdata);
    answer.rdata = rdata;
    answer.status = result_status(result);
    answer.secure = result->secure != 0;
    answer.ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
    if (answer.status == DNS_FAILED)
        answer.why = rcode_words(result->rcode);
    if (answer.status == DNS_BOGUS) {
        err_quote(why, sizeof(why), slice_of(result->why_bogus));
        answer.why = why;
    }
    query_answer(query, &answer);
    free(rdata);
    ub_resolve_free(result);
}

static void resolver_on_readable(uv_poll_t *poll, int status, int events)
{
    struct resolver *resolver = poll->data;

    (void)status;
    (void)events;
    ub_process(resolver->context);
}

/* A callback may ask again, and may cancel any other query, even one of this sweep. */
static void resolver_on_sweep(uv_timer_t *timer)
{
    struct resolver *resolver = timer->data;
    struct dns_query *query, *next;
    uint64_t now_ms = uv_now(resolver->loop);

    DL_FOREACH_SAFE (resolver->queries, query, next) {
        if (!query->refused && query->deadline_ms > now_ms)
            continue;
        DL_DELETE(resolver->queries, query);
        DL_APPEND(resolver->ending, query);
        query->list = &resolver->ending;
    }
    while ((query = resolver->ending)) {
        DL_DELETE(resolver->ending, query);
        if (!query->refused)
            ub_cancel(resolver->context, query->id);
        query_fail(query, query->refused ? query->refused : "no answer within the time limit");
    }
    if (!resolver->queries)
        uv_timer_stop(timer);
}

static struct dns_query *resolver_ask(struct dns_source *source, const char *name,
                                      enum dns_type type, dns_answered *callback, void *context)
{
    struct resolver *resolver = (struct resolver *)source;
    struct dns_query *query = memory_alloc(sizeof(*query));
    char absolute[4 * DNS_NAME_MAX];
    int error;

    *query = (struct dns_query){
        .resolver = resolver,
        .list = &resolver->queries,
        .callback = callback,
        .context = context,
        .deadline_ms = uv_now(resolver->loop) + resolver->timeout_ms,
    };
    snprintf(absolute, sizeof(absolute), "%s.", strcmp(name, ".") == 0 ? "" : name);
    error = ub_resolve_async(resolver->context, absolute, (int)type, CLASS_IN, query,
                             query_on_result, &query->id);
    if (error != 0)
        query->refused = ub_strerror(error);
    DL_APPEND(resolver->queries, query);
    if (!uv_is_active((uv_handle_t *)&resolver->timer) || error != 0)
        uv_timer_start(&resolver->timer, resolver_on_sweep, error != 0 ? 0 : SWEEP_MS, SWEEP_MS);
    return query;
}

static void resolver_cancel(struct dns_query *query)
{
    if (query == NULL)
        return;
    if (!query->refused)
        ub_cancel(query->resolver->context, query->id);
    DL_DELETE(*query->list, query);
    free(query);
}

static int context_option(struct ub_ctx *context, const char *option, const char *value,
                          struct err *err)
{
    int error = ub_ctx_set_option(context, option, value);

    if (error == 0)
        return 0;
    return err_set(err, ERR_CONFIG, "libunbound does not take %s %s: %s", option, value,
                   ub_strerror(error));
}

/* The names of a stranger's zone may lead to name servers behind our firewall. */
static int context_forbid_special(struct ub_ctx *context, struct err *err)
{
    const char *prefix;

    for (size_t i = 0; (prefix = special_address_prefix(i)); i++)
        if (context_option(context, "do-not-query-address:", prefix, err) != 0)
            return -1;
    return 0;
}

static int context_trust(struct ub_ctx *context, struct err *err)
{
    int error = 0;

    if (access(ROOT_KEY_FILE, R_OK) == 0)
        error = ub_ctx_add_ta_file(context, ROOT_KEY_FILE);
    else
        for (size_t i = 0; i < ARRAY_LEN(root_keys) && error == 0; i++)
            error = ub_ctx_add_ta(context, root_keys[i]);
    if (error == 0)
        return 0;
    return err_set(err, ERR_CONFIG, "the keys of the root zone cannot be loaded: %s",
                   ub_strerror(error));
}

static void context_on_first(void *context, int error, struct ub_result *result)
{
    (void)context;
    (void)error;
    ub_resolve_free(result);
}

static int context_set_up(struct ub_ctx *context, const struct resolver_options *options,
                          struct err *err)
{
    int error;

    ub_ctx_debuglevel(context, 0);
    /* The library has 16, for programs that ask one question at a time. */
    if (context_option(context, "outgoing-range:", "512", err) != 0 ||
        context_option(context, "num-queries-per-thread:", "1024", err) != 0 ||
        context_option(context, "cache-max-ttl:", "2147483647", err) != 0 ||
        context_option(context, "do-not-query-localhost:", "no", err) != 0)
        return -1;
    if (options->config_file) {
        error = ub_ctx_config(context, options->config_file);
        if (error != 0)
            return err_set(err, ERR_CONFIG, "%s: is no configuration of unbound: %s",
                           options->config_file, ub_strerror(error));
    } else if (context_trust(context, err) != 0) {
        return -1;
    }
    if (options->forwarder) {
        error = ub_ctx_set_fwd(context, options->forwarder);
        if (error != 0)
            return err_set(err, ERR_CONFIG, "'%s' is no address of a resolver", options->forwarder);
    }
    if (!options->forwarder && !options->config_file && !options->allow_private &&
        context_forbid_special(context, err) != 0)
        return -1;
    error = ub_ctx_async(context, 1);
    /* The library reads the files that its configuration names with the first question. The rights
     * to read them may be gone then, so ask one that it answers without a name server. */
    if (error == 0)
        error = ub_resolve_async(context, "localhost.", DNS_TYPE_A, CLASS_IN, NULL,
                                 context_on_first, NULL);
    return error == 0 ? 0 : err_set(err, ERR_CONFIG, "libunbound: %s", ub_strerror(error));
}

struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options,
                              struct err *err)
{
    struct ub_ctx *context = ub_ctx_create();
    struct resolver *resolver;

    if (!context) {
        err_set(err, ERR_CONFIG, "libunbound cannot begin");
        return NULL;
    }
    if (context_set_up(context, options, err) != 0) {
        ub_ctx_delete(context);
        return NULL;
    }
    resolver = memory_alloc(sizeof(*resolver));
    *resolver = (struct resolver){
        .source = {resolver_ask, resolver_cancel},
        .loop = loop,
        .context = context,
        .timeout_ms = options->timeout_ms,
        .n_handles = 2,
    };
    uv_timer_init(loop, &resolver->timer);
    uv_poll_init(loop, &resolver->poll, ub_fd(context));
    resolver->timer.data = resolver->poll.data = resolver;
    uv_poll_start(&resolver->poll, UV_READABLE, resolver_on_readable);
    uv_unref((uv_handle_t *)&resolver->poll);
    return resolver;
}

struct dns_source *resolver_source(struct resolver *resolver)
{
    return &resolver->source;
}

static void resolver_on_closed(uv_handle_t *handle)
{
    struct resolver *resolver = handle->data;

    if (--resolver->n_handles == 0)
        free(resolver);
}

void resolver_free(struct resolver *resolver)
{
    struct dns_query *query, *next;

    if (resolver == NULL)
        return;
    DL_FOREACH_SAFE (resolver->queries, query, next)
        resolver_cancel(query);
    ub_ctx_delete(resolver->context);
    uv_close((uv_handle_t *)&resolver->timer, resolver_on_closed);
    uv_close((uv_handle_t *)&resolver->poll, resolver_on_closed);
}
