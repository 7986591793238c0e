/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/mode.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"
#include "lib/state/ledger.h"

/* RFC 8461 8.3. */
struct withdrawal {
    const char *name;
    const struct domain *domain;       /* NULL: the configuration has it no more, or no policy */
    const struct ledger_domain *known; /* NULL: the ledger does not have it */
    bool is_whole;                     /* whether the ledger can be relied on */
    int64_t now_unix_s;
    int64_t held_until_unix_s; /* 0: by what is known, no sender holds a policy */
};

static void print_records(const char *name, const char *mta_sts_zone)
{
    printf("   " DNS_PREFIX_MTA_STS "%s, " DNS_PREFIX_POLICY_HOST "%s", name, name);
    if (mta_sts_zone && mta_sts_zone[0] != '\0')
        printf(", " DNS_PREFIX_MTA_STS "%s.%s", name, mta_sts_zone);
    puts("\n   (_smtp._tls may stay: it asks for TLS reports, whatever the policy is)");
}

static enum exit_status withdraw_begin(const struct withdrawal *withdrawal)
{
    const struct policy *policy = &withdrawal->domain->document->policy;
    int64_t until_unix_s = withdrawal->now_unix_s + policy->max_age_s;
    char date[WHEN_SIZE];

    if (withdrawal->held_until_unix_s > until_unix_s)
        until_unix_s = withdrawal->held_until_unix_s;
    printf(
        "%s is served in mode %s. To leave MTA-STS without losing mail:\n"
        "1. Now: give it `mode: none` and `max_age: 1d`, run mta-stsd --reload, and publish the\n"
        "   new record: mta-stsd --print-dns --domain %s\n"
        "2. Go on serving it until %s, if step 1 is done today: until then\n"
        "   senders may hold the policies that they have fetched.\n",
        withdrawal->name, policy_mode_name(policy->mode), withdrawal->name,
        when_date(until_unix_s, date));
    if (!withdrawal->is_whole)
        puts(
            "   Longer, if an earlier max_age was longer: the ledger does not say (see `state:`).");
    puts("3. After that remove the domain from the configuration, and these records:");
    print_records(withdrawal->name, NULL);
    return STATUS_FINDINGS;
}

static enum exit_status withdraw_wait(const struct withdrawal *withdrawal)
{
    char date[WHEN_SIZE];

    printf("%s is served in mode none, and senders may still hold an earlier policy.\n",
           withdrawal->name);
    if (withdrawal->is_whole)
        printf("Go on serving it until %s.\n", when_date(withdrawal->held_until_unix_s, date));
    else
        puts("Go on serving it for the longest max_age that it ever had; which that was, the "
             "ledger\n"
             "does not say (see `state:`).");
    puts("After that remove the domain from the configuration, and these records:");
    print_records(withdrawal->name, NULL);
    return STATUS_FINDINGS;
}

static enum exit_status withdraw_finish(const struct withdrawal *withdrawal)
{
    printf("%s is served in mode none, and no sender holds an earlier policy any more.\n"
           "Remove now: the domain from the configuration, and these records:\n",
           withdrawal->name);
    print_records(withdrawal->name, NULL);
    return STATUS_GOOD;
}

/* The configuration does not have it any more. */
static enum exit_status withdraw_gone(const struct withdrawal *withdrawal)
{
    const struct ledger_period *latest = withdrawal->known->latest;
    char date[WHEN_SIZE], zone[DNS_NAME_MAX + 1];

    if (latest->until_unix_s == 0)
        printf("%s is in the configuration no more, but the last daemon served it: "
               "mta-stsd --reload\n",
               withdrawal->name);
    if (withdrawal->held_until_unix_s != 0) {
        printf("Senders may hold its policy (mode %s) until %s.\n"
               "Serve it again, in mode none with max_age 1d, until then; keep its records.\n",
               policy_mode_name(latest->policy.mode),
               when_date(withdrawal->held_until_unix_s, date));
        return STATUS_FINDINGS;
    }
    snprintf(zone, sizeof(zone), "%.*s", SLICE_ARG(latest->policy.mta_sts_zone));
    printf("%s has left, and its policy has expired (RFC 8461 3.2). Remove these records:\n",
           withdrawal->name);
    print_records(withdrawal->name, zone);
    /* postfix-mta-sts-resolver does. RFC 8461 3.2 counts from the last fetch, which now fails. */
    if (latest->policy.mode == POLICY_ENFORCE)
        printf(
            "It left in mode enforce, and some senders count max_age from when they last saw the\n"
            "_mta-sts record: do not move its mail to other hosts before %s, if the\n"
            "record is removed today.\n",
            when_date(withdrawal->now_unix_s + latest->policy.max_age_s, date));
    return STATUS_GOOD;
}

static enum exit_status withdraw_advise(const struct withdrawal *withdrawal)
{
    if (!withdrawal->domain)
        return withdraw_gone(withdrawal);
    if (withdrawal->domain->document->policy.mode != POLICY_MODE_NONE)
        return withdraw_begin(withdrawal);
    if (!withdrawal->is_whole || withdrawal->held_until_unix_s != 0)
        return withdraw_wait(withdrawal);
    return withdraw_finish(withdrawal);
}

/* Reads what the ledger has of the domain; without one everything is unknown. */
static enum exit_status withdraw_read(const struct config *config, struct withdrawal *withdrawal,
                                      struct ledger **ret_ledger)
{
    enum exit_status status = cli_read_ledger(config, withdrawal->name, ret_ledger);

    if (status != STATUS_GOOD)
        return status;
    withdrawal->known = ledger_find(*ret_ledger, slice_of(withdrawal->name));
    if (!withdrawal->known || !withdrawal->known->latest)
        return STATUS_GOOD;
    withdrawal->is_whole = ledger_damaged_line(*ret_ledger) == 0;
    withdrawal->held_until_unix_s = ledger_held_until(withdrawal->known, withdrawal->now_unix_s);
    return STATUS_GOOD;
}

enum exit_status mode_withdraw(const struct options *options)
{
    const char *written = options->arguments[0];
    struct config *config;
    struct ledger *ledger = NULL;
    char name[DNS_NAME_MAX + 1];
    struct withdrawal withdrawal = {.name = name, .now_unix_s = clock_system.unix_s(&clock_system)};
    enum exit_status status = cli_load(options, &config);
    struct err err;
    size_t len;

    if (status != STATUS_GOOD)
        return status;
    if (dns_name_parse(slice_of(written), name, &len, &err) != 0) {
        status = cli_fail(STATUS_USAGE, "'%s' %s", written, err.msg);
        goto out;
    }
    withdrawal.domain = config_find_domain(config, (struct slice){name, len});
    if (withdrawal.domain && !withdrawal.domain->document)
        withdrawal.domain = NULL;
    status = withdraw_read(config, &withdrawal, &ledger);
    if (status != STATUS_GOOD)
        goto out;
    if (!withdrawal.domain && (!withdrawal.known || !withdrawal.known->latest))
        status = cli_find_domain(config, written)
                     ? cli_fail(STATUS_USAGE, "'%s' has no policy: its mta_sts is false", written)
                     : STATUS_USAGE;
    else
        status = withdraw_advise(&withdrawal);
out:
    ledger_free(ledger);
    config_unref(config);
    return status;
}
