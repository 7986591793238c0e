/* SPDX-License-Identifier: MIT */
#include "lib/config/config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/prefix.h"
#include "lib/dns/record.h"

struct config *config_ref(struct config *config)
{
    atomic_fetch_add(&config->n_references, 1);
    return config;
}

void config_unref(struct config *config)
{
    if (!config || atomic_fetch_sub(&config->n_references, 1) > 1)
        return;
    free(config->domains);
    arena_free(config->arena);
    free(config);
}

static int compare_name(const void *key, const void *element)
{
    const struct slice *name = key;
    const struct domain *domain = element;

    return slice_compare(*name, slice_of(domain->name));
}

const struct domain *config_find_domain(const struct config *config, struct slice name)
{
    return bsearch(&name, config->domains, config->n_domains, sizeof(*config->domains),
                   compare_name);
}

const struct domain *config_find_policy_host(const struct config *config, struct slice host)
{
    static const size_t prefix_len = sizeof(DNS_PREFIX_POLICY_HOST) - 1;
    const struct domain *domain;

    if (!slice_starts_with(host, DNS_PREFIX_POLICY_HOST))
        return NULL;
    domain = config_find_domain(config, slice_range(host, prefix_len, host.len));
    return domain && domain->document ? domain : NULL;
}

bool config_is_own_host(const struct config *config, struct slice host)
{
    return (config->policy_host_name && slice_eq_text(host, config->policy_host_name)) ||
           (config->report_host && slice_eq_text(host, config->report_host));
}

static bool has_same_proxies(const struct listen_address *a, const struct listen_address *b)
{
    return a->has_proxy_protocol == b->has_proxy_protocol && a->n_trusted == b->n_trusted &&
           (a->n_trusted == 0 ||
            memcmp(a->trusted, b->trusted, a->n_trusted * sizeof(*a->trusted)) == 0);
}

static bool has_same_listeners(const struct config *a, const struct config *b)
{
    if (a->n_listen != b->n_listen)
        return false;
    for (size_t i = 0; i < a->n_listen; i++)
        if (strcmp(a->listen[i].text, b->listen[i].text) != 0 ||
            a->listen[i].has_tls != b->listen[i].has_tls ||
            a->listen[i].serves_challenges != b->listen[i].serves_challenges ||
            !has_same_proxies(&a->listen[i], &b->listen[i]))
            return false;
    return true;
}

static bool has_same_admin(const struct config *a, const struct config *b)
{
    if (!a->admin || !b->admin)
        return a->admin == b->admin;
    return strcmp(a->admin->text, b->admin->text) == 0;
}

/* The process that starts the program knows it since the start of the daemon. */
static bool has_same_command(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool has_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* uacme's arguments, which the process that starts programs knows since the start of the daemon. */
static bool has_same_acme(const struct acme_settings *a, const struct acme_settings *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a->directory, b->directory) == 0 &&
           has_same_text(a->account_email, b->account_email) &&
           has_same_text(a->eab_path, b->eab_path) && a->has_orders == b->has_orders;
}

bool config_can_replace(const struct config *current, const struct config *next,
                        const char **ret_key)
{
    if (!has_same_listeners(current, next))
        *ret_key = "listen";
    else if (!has_same_admin(current, next))
        *ret_key = "admin";
    else if (strcmp(current->control, next->control) != 0)
        *ret_key = "control";
    else if (!has_same_text(current->state, next->state))
        *ret_key = "state";
    else if (strcmp(current->user, next->user) != 0)
        *ret_key = "user";
    else if (current->workers != next->workers)
        *ret_key = "workers";
    else if (current->has_sandbox != next->has_sandbox)
        *ret_key = "sandbox";
    else if (!has_same_command(current->on_change, current->n_on_change, next->on_change,
                               next->n_on_change))
        *ret_key = "on_change";
    else if (!has_same_command(current->notify, current->n_notify, next->notify, next->n_notify))
        *ret_key = "notify";
    else if (!has_same_acme(current->acme, next->acme))
        *ret_key = "acme";
    else
        return true;
    return false;
}
