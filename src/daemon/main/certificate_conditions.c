/* SPDX-License-Identifier: MIT */
#include "daemon/main/certificate_conditions.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/main/acme_orders.h"
#include "daemon/main/cert_scan.h"
#include "daemon/main/cert_states.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/diag/config_finding.h"
#include "lib/dns/record.h"
#include "lib/state/condition.h"

#define ADVICE_FILES                                                                           \
    "mta-stsd --certificates says which files were looked at. Put a certificate that senders " \
    "accept there; it is served without a reload."
#define ADVICE_ORDER                                                                          \
    "mta-stsd --certificates and the log say why, and when it is tried again. Correct that: " \
    "the host's DNS, port 80, CAA records, or the account at the certificate authority."

static const char *certificate_copy(struct arena *arena, char *text)
{
    const char *copy = arena_copy(arena, slice_of(text));

    free(text);
    return copy;
}

static void certificate_add(struct condition_list *list, const struct domain *domain,
                            const char *code, const char *text, const char *advice)
{
    list->conditions[list->n_conditions++] = (struct condition){.kind = CONDITION_CERTIFICATE,
                                                                .domain = slice_of(domain->name),
                                                                .code = slice_of(code),
                                                                .text = slice_of(text),
                                                                .advice = slice_of(advice)};
}

static bool order_has_failed(enum acme_state state)
{
    return state == ACME_FAILING || state == ACME_PAUSED;
}

/* Returns whether the orders have said all that is to be said of the host. */
static bool certificate_add_order(const struct acme_host_info *info, const struct domain *domain,
                                  const char *host, struct arena *arena,
                                  struct condition_list *list)
{
    bool has_certificate = info->not_after_unix_s > 0;
    const char *reason = info->reason[0] != '\0' ? info->reason : "it is waiting for its turn";
    char *text, date[WHEN_SIZE];
    int result;

    if (info->state == ACME_FOREIGN)
        return false;
    if (info->state == ACME_VALID || (!has_certificate && !order_has_failed(info->state)))
        return true;
    if (has_certificate)
        result = asprintf(&text, "The certificate of %s, which ends on %s, is not renewed: %s",
                          host, when_date(info->not_after_unix_s, date), reason);
    else
        result = asprintf(&text, "No certificate was issued for %s: %s", host, reason);
    if (result < 0)
        memory_fail();
    certificate_add(list, domain, has_certificate ? "not-renewed" : "not-issued",
                    certificate_copy(arena, text), ADVICE_ORDER);
    return true;
}

static void certificate_add_finding(const struct cert_view *view, const struct domain *domain,
                                    const char *host, struct arena *arena,
                                    struct condition_list *list)
{
    const struct finding_row *row = finding_row(view->finding);
    char *text, date[WHEN_SIZE];
    int result;

    if (view->finding == FINDING_NONE)
        return;
    if (view->not_after_unix_s > 0)
        result = asprintf(&text, "%s: %s; valid until %s", host, row->meaning,
                          when_date(view->not_after_unix_s, date));
    else
        result = asprintf(&text, "%s: %s", host, row->meaning);
    if (result < 0)
        memory_fail();
    certificate_add(list, domain, row->code, certificate_copy(arena, text), ADVICE_FILES);
}

void certificate_conditions_add(struct cert_scan *scan, struct acme_orders *orders,
                                const struct config *config, struct arena *arena,
                                struct condition_list *list)
{
    char host[POLICY_HOST_SIZE];

    list->is_known[CONDITION_CERTIFICATE] = cert_scan_has_ended(scan);
    for (size_t i = 0; list->is_known[CONDITION_CERTIFICATE] && i < config->n_domains; i++) {
        const struct domain *domain = &config->domains[i];
        struct acme_host_info info;
        struct cert_view view;

        if (!domain->document)
            continue;
        if (cert_scan_find(scan, config, i, &view) != 0) {
            list->unclear[list->n_unclear++] =
                (struct condition){.kind = CONDITION_CERTIFICATE, .domain = slice_of(domain->name)};
            continue;
        }
        dns_policy_host_render(domain->name, host);
        if (acme_orders_find(orders, host, &info) != 0 ||
            !certificate_add_order(&info, domain, host, arena, list))
            certificate_add_finding(&view, domain, host, arena, list);
    }
}
