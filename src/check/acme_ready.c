/* SPDX-License-Identifier: MIT */
#include "check/acme_ready.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check/caa.h"
#include "check/check_host.h"
#include "check/dns_source.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

/* What is asked at once, before CAA. */
enum ready_ask {
    READY_HOST_A,
    READY_HOST_AAAA,
    READY_TARGET_A, /* of policy_host.name */
    READY_TARGET_AAAA,
    READY_ASK_COUNT,
};

struct ready_check;

struct ready_slot {
    struct ready_check *check;
    const struct dns_answer *answer;
};

struct ready_check {
    struct dns_source *dns;
    const struct config *config;
    const char *host;
    const char *caa_name; /* the part of the host's name whose CAA records are asked for */
    FILE *out;
    struct arena *arena;
    struct ready_slot slots[READY_ASK_COUNT];
    size_t n_pending;
};

static void ready_end(struct ready_check *check)
{
    arena_free(check->arena);
    free(check);
}

/* The verdict, in one line whatever a stranger's names hold: they are quoted. */
static void ready_refuse(struct ready_check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void ready_refuse(struct ready_check *check, const char *format, ...)
{
    va_list arguments;

    fprintf(check->out, "%s waiting ", check->host);
    va_start(arguments, format);
    vfprintf(check->out, format, arguments);
    va_end(arguments);
    fputc('\n', check->out);
    ready_end(check);
}

static const char *ready_parent(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot ? dot + 1 : "";
}

static void ready_on_caa(void *context, const struct dns_answer *answer);

static void ready_ask_caa(struct ready_check *check)
{
    check->dns->ask(check->dns, check->caa_name, DNS_TYPE_CAA, ready_on_caa, check);
}

/* The first name with CAA records, from the host's upwards, is the one that counts. */
static void ready_on_caa(void *context, const struct dns_answer *answer)
{
    struct ready_check *check = context;
    char fault[CAA_FAULT_MAX];

    if (answer->status == DNS_FAILED || answer->status == DNS_BOGUS) {
        ready_refuse(check,
                     "the CAA records of %s cannot be had, without which no certificate "
                     "is issued: %s",
                     check->caa_name, answer->why);
        return;
    }
    if (answer->status == DNS_OK && answer->n_rdata > 0) {
        if (!caa_allows(answer->rdata, answer->n_rdata,
                        caa_identity_of(check->config->acme->directory), fault)) {
            ready_refuse(check, "a CAA record of %s %s", check->caa_name, fault);
            return;
        }
    } else {
        check->caa_name = ready_parent(check->caa_name);
        if (check->caa_name[0] != '\0') {
            ready_ask_caa(check);
            return;
        }
    }
    fprintf(check->out, "%s ready\n", check->host);
    ready_end(check);
}

static bool addresses_have(const struct host_address *addresses, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(addresses[i].text, text) == 0)
            return true;
    return false;
}

/* The addresses of the configuration, written as those of an answer are. */
static bool config_has_address(const struct config *config, const char *text)
{
    unsigned char wanted[PREFIX_BYTES], found[PREFIX_BYTES];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    size_t len = family == AF_INET6 ? 16 : 4;

    if (prefix_address_parse(family, slice_of(text), found) != 0)
        return false;
    for (size_t i = 0; i < config->n_policy_host_addresses; i++)
        if (prefix_address_parse(family, slice_of(config->policy_host_addresses[i]), wanted) == 0 &&
            memcmp(wanted, found, len) == 0)
            return true;
    return false;
}

static const struct dns_answer *ready_find_failure(const struct ready_check *check)
{
    for (size_t i = 0; i < READY_ASK_COUNT; i++) {
        const struct dns_answer *answer = check->slots[i].answer;

        if (answer && (answer->status == DNS_FAILED || answer->status == DNS_BOGUS))
            return answer;
    }
    return NULL;
}

/* By a clock that is weeks off, the signatures of all zones are over or yet to come. */
static const char *ready_clock_hint(const char *why)
{
    return strstr(why, "signature expired") || strstr(why, "signature before inception")
               ? "; this machine's clock may be wrong"
               : "";
}

/* The host, and where a CNAME leads it, as the beginning of a sentence about its addresses. */
static const char *ready_subject(const struct ready_check *check)
{
    const char *target = check->slots[READY_HOST_A].answer->canonical;
    char quoted[ERR_QUOTE_MAX];
    size_t size = strlen(check->host) + sizeof(quoted) + sizeof(" leads to , which");
    char *subject = arena_alloc(check->arena, size);

    if (target[0] == '\0' || strcmp(target, check->host) == 0)
        return check->host;
    snprintf(subject, size, "%s leads to %s, which", check->host,
             err_quote(quoted, sizeof(quoted), slice_of(target)));
    return subject;
}

/* What mta-sts.<domain> is to point to, for people. */
static const char *ready_wanted(const struct ready_check *check)
{
    return check->config->policy_host_name ? check->config->policy_host_name
                                           : check->config->policy_host_addresses[0];
}

static void ready_judge_addresses(struct ready_check *check)
{
    const struct dns_answer *failure = ready_find_failure(check);
    const char *target = check->config->policy_host_name;
    struct host_address *found, *wanted = NULL;
    size_t n_found, n_wanted = 0;

    if (failure) {
        ready_refuse(check, "%s cannot be looked up: %s%s", check->host, failure->why,
                     ready_clock_hint(failure->why));
        return;
    }
    found = check_host_list(check->slots[READY_HOST_A].answer, check->slots[READY_HOST_AAAA].answer,
                            check->arena, &n_found);
    if (target)
        wanted = check_host_list(check->slots[READY_TARGET_A].answer,
                                 check->slots[READY_TARGET_AAAA].answer, check->arena, &n_wanted);
    if (target && n_wanted == 0) {
        ready_refuse(check, "policy_host.name %s has no address", target);
        return;
    }
    if (n_found == 0) {
        ready_refuse(check, "%s has no address; it is to point to %s", ready_subject(check),
                     ready_wanted(check));
        return;
    }
    for (size_t i = 0; i < n_found; i++)
        if (target ? !addresses_have(wanted, n_wanted, found[i].text)
                   : !config_has_address(check->config, found[i].text)) {
            ready_refuse(check,
                         "%s has the address %s, not one of this server's; it is to "
                         "point to %s",
                         ready_subject(check), found[i].text, ready_wanted(check));
            return;
        }
    check->caa_name = check->host;
    ready_ask_caa(check);
}

static void ready_on_answer(void *context, const struct dns_answer *answer)
{
    struct ready_slot *slot = context;
    struct ready_check *check = slot->check;

    slot->answer = dns_answer_copy(answer, check->arena);
    if (--check->n_pending == 0)
        ready_judge_addresses(check);
}

static void ready_ask(struct ready_check *check, enum ready_ask ask, const char *name,
                      enum dns_type type)
{
    struct ready_slot *slot = &check->slots[ask];

    slot->check = check;
    check->n_pending++;
    check->dns->ask(check->dns, name, type, ready_on_answer, slot);
}

static void ready_start(struct dns_source *dns, const struct config *config, const char *host,
                        FILE *out)
{
    struct ready_check *check = memory_alloc(sizeof(*check));
    const char *target = config->policy_host_name;

    *check = (struct ready_check){
        .dns = dns, .config = config, .host = host, .out = out, .arena = arena_new(0)};
    if (!config_find_policy_host(config, slice_of(host))) {
        ready_refuse(check, "it is the policy host of no domain in the configuration");
        return;
    }
    ready_ask(check, READY_HOST_A, host, DNS_TYPE_A);
    ready_ask(check, READY_HOST_AAAA, host, DNS_TYPE_AAAA);
    if (target) {
        ready_ask(check, READY_TARGET_A, target, DNS_TYPE_A);
        ready_ask(check, READY_TARGET_AAAA, target, DNS_TYPE_AAAA);
    }
}

void acme_ready_start(struct dns_source *dns, const struct config *config, const char *const *hosts,
                      size_t n_hosts, FILE *out)
{
    for (size_t i = 0; i < n_hosts; i++)
        ready_start(dns, config, hosts[i], out);
}
