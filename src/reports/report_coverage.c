/* SPDX-License-Identifier: MIT */
#include "reports/report_coverage.h"

#include <stdbool.h>

#include "lib/base/slice.h"
#include "lib/dns/name.h"
#include "reports/report_tally.h"

/* Mail.ru reports as corp.mail.ru. */
static const char *const large_senders[] = {"google.com", "microsoft.com", "mail.ru"};

/* Also without a proof: who wants to hide that a sender is missing gains nothing by it. */
static bool tally_has_sender(const struct report_tally *tally, const char *domain)
{
    for (size_t i = 0; i < tally->n_reporters; i++)
        if (dns_name_is_within(slice_of(tally->reporters[i]->name), slice_of(domain)))
            return true;
    return false;
}

const char *report_coverage_missing(const struct report_tally *tally, size_t nth)
{
    for (size_t i = 0; i < ARRAY_LEN(large_senders); i++)
        if (!tally_has_sender(tally, large_senders[i]) && nth-- == 0)
            return large_senders[i];
    return NULL;
}
