/* SPDX-License-Identifier: MIT */
#include "lib/config/settings.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/arena.h"
#include "lib/base/prefix.h"
#include "lib/config/acme_settings.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"
#include "lib/config/policy_merge.h"
#include "lib/config/schema.h"
#include "lib/config/written_path.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"

enum {
    UNIX_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
};

/* The second is there if certificates are ordered. */
static const struct listen_address default_listen[] = {
    {
        .kind = LISTEN_TCP,
        .text = "[::]:443",
        .host = "::",
        .port = 443,
        .has_tls = true,
        .is_default = true,
    },
    {
        .kind = LISTEN_TCP,
        .text = "[::]:80",
        .host = "::",
        .port = 80,
        .serves_challenges = true,
        .is_default = true,
    },
};

static const struct cert_source default_source = {
    "/etc/letsencrypt/live/{host}/fullchain.pem",
    "/etc/letsencrypt/live/{host}/privkey.pem",
};

struct settings_context {
    struct config *config;
    struct diag *diag;
    bool has_acme;
};

static void settings_report(const struct settings_context *context, enum finding finding,
                            const struct field_text *value, const char *path, const char *why)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(context->diag, finding, value->place, path, "%s %s",
             err_quote(quoted, sizeof(quoted), value->text), why);
}

static bool is_ip_address(int family, const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(family, text, bytes) == 1;
}

/* "192.0.2.1:443" or "[2001:db8::1]:443" */
static int parse_tcp(struct slice text, struct arena *arena, struct listen_address *ret_address)
{
    bool is_v6 = slice_starts_with(text, "[");
    size_t colon = text.len, host_end;
    uint64_t port;
    char *host;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || slice_to_u64(slice_range(text, colon, text.len), UINT16_MAX, &port) != 0)
        return -1;
    host_end = colon - 1;
    if (is_v6 && (host_end < 2 || text.ptr[host_end - 1] != ']'))
        return -1;
    host = arena_copy(arena,
                      is_v6 ? slice_range(text, 1, host_end - 1) : slice_range(text, 0, host_end));
    if (!is_ip_address(is_v6 ? AF_INET6 : AF_INET, host))
        return -1;
    ret_address->kind = LISTEN_TCP;
    ret_address->host = host;
    ret_address->port = (uint16_t)port;
    return 0;
}

static int parse_unix(struct slice text, struct listen_address *ret_address)
{
    static const size_t prefix_len = sizeof("unix:") - 1;

    if (text.len <= prefix_len || text.len - prefix_len > UNIX_PATH_MAX ||
        text.ptr[prefix_len] != '/')
        return -1;
    ret_address->kind = LISTEN_UNIX;
    ret_address->host = text.ptr + prefix_len;
    return 0;
}

static void build_control(const struct settings_context *context, const struct field_text *raw)
{
    struct config *config = context->config;

    config->has_default_control = raw->place.line == 0;
    config->control = arena_copy(config->arena, raw->text);
    if (raw->text.len > 0 && (raw->text.ptr[0] != '/' || raw->text.len > UNIX_PATH_MAX))
        settings_report(context, FINDING_BAD_VALUE, raw, "control",
                        "is not the absolute path of a socket, of at most 107 bytes");
}

/* Adds a trusted peer. A unix socket has no addresses to choose by, so all its peers are trusted.
 */
static void build_proxy(const struct settings_context *context, const struct field_text *raw,
                        const char *path, struct listen_address *listen, struct prefix *trusted)
{
    struct err err;

    if (listen->kind == LISTEN_UNIX) {
        if (!slice_eq_text(raw->text, "unix"))
            settings_report(context, FINDING_BAD_VALUE, raw, path,
                            "is not unix, the only peer that a unix socket has");
    } else if (prefix_parse(raw->text, &trusted[listen->n_trusted], &err) == 0) {
        listen->n_trusted++;
    } else {
        settings_report(context, FINDING_BAD_VALUE, raw, path, err.msg);
    }
}

static void build_proxies(const struct settings_context *context, const struct field_texts *raw,
                          size_t index, struct listen_address *listen)
{
    struct prefix *trusted = arena_array(context->config->arena, raw->n_items, sizeof(*trusted));
    char path[96];

    listen->has_proxy_protocol = raw->place.line != 0;
    listen->trusted = trusted;
    for (size_t i = 0; i < raw->n_items; i++) {
        snprintf(path, sizeof(path), "listen[%zu].proxy_protocol.trusted[%zu]", index, i);
        if (raw->items[i].text.len > 0)
            build_proxy(context, &raw->items[i], path, listen, trusted);
    }
}

static int parse_listen(const struct settings_context *context, const struct raw_listen *raw,
                        struct listen_address *ret_address)
{
    struct arena *arena = context->config->arena;
    struct slice text = {arena_copy(arena, raw->address.text), raw->address.text.len};

    *ret_address = (struct listen_address){
        .text = text.ptr,
        .has_tls = raw->tls.value == 1 && raw->serve.value != SERVE_CHALLENGES,
        .serves_challenges = raw->serve.value == SERVE_CHALLENGES,
        .place = raw->address.place,
    };
    return slice_starts_with(text, "unix:") ? parse_unix(text, ret_address)
                                            : parse_tcp(text, arena, ret_address);
}

static bool is_listed(const struct config *config, const char *text)
{
    for (size_t i = 0; i < config->n_listen; i++)
        if (strcmp(config->listen[i].text, text) == 0)
            return true;
    return false;
}

/* An IPv4 address in its IPv6 form, as a socket of both families has it. */
static struct in6_addr listen_address_bits(const struct listen_address *address)
{
    struct in6_addr bits = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    if (inet_pton(AF_INET, address->host, bits.s6_addr + 12) != 1)
        inet_pton(AF_INET6, address->host, &bits);
    return bits;
}

static bool listen_address_is_all_v4(const struct in6_addr *bits)
{
    static const unsigned char none[4];

    return IN6_IS_ADDR_V4MAPPED(bits) && memcmp(bits->s6_addr + 12, none, sizeof(none)) == 0;
}

static bool listen_bits_clash(const struct in6_addr *a, const struct in6_addr *b)
{
    return IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_UNSPECIFIED(b) || IN6_ARE_ADDR_EQUAL(a, b) ||
           (listen_address_is_all_v4(a) && IN6_IS_ADDR_V4MAPPED(b)) ||
           (listen_address_is_all_v4(b) && IN6_IS_ADDR_V4MAPPED(a));
}

/* Whether the kernel refuses to open one beside the other. Port 0 is another one each time. */
static bool listen_addresses_clash(const struct listen_address *a, const struct listen_address *b)
{
    struct in6_addr a_bits, b_bits;

    if (a->kind != LISTEN_TCP || b->kind != LISTEN_TCP || a->port != b->port || a->port == 0)
        return false;
    a_bits = listen_address_bits(a);
    b_bits = listen_address_bits(b);
    return listen_bits_clash(&a_bits, &b_bits);
}

/* Reports an address that cannot be opened beside one that is listed before. */
static bool report_clash(const struct settings_context *context, const struct field_text *raw,
                         const char *path, const struct listen_address *address)
{
    const struct config *config = context->config;
    char where[PATH_MAX + 32] = "the default of listen", why[PATH_MAX + ERR_MSG_MAX];

    for (size_t i = 0; i < config->n_listen; i++) {
        const struct listen_address *before = &config->listen[i];
        const struct place *place = &before->place;

        if (!listen_addresses_clash(before, address))
            continue;
        if (place->line != 0)
            snprintf(where, sizeof(where), "%s:%u:%u", place->file, place->line, place->column);
        snprintf(why, sizeof(why),
                 "cannot be opened beside '%s' (%s): [::] is all addresses, IPv4 too, and 0.0.0.0 "
                 "is all of IPv4; keep one of them, or use another port",
                 before->text, where);
        settings_report(context, FINDING_BAD_VALUE, raw, path, why);
        return true;
    }
    return false;
}

/* Returns whether the listener is opened. */
static bool check_challenges(const struct settings_context *context, const struct raw_listen *raw,
                             size_t index)
{
    char path[64];

    if (raw->tls.place.line != 0 && raw->tls.value == 1) {
        snprintf(path, sizeof(path), "listen[%zu].tls", index);
        diag_add(context->diag, FINDING_KEY_CONFLICT, raw->tls.place, path,
                 "certificate authorities ask for challenges by plain HTTP; leave tls: out");
    }
    if (context->has_acme)
        return true;
    snprintf(path, sizeof(path), "listen[%zu].serve", index);
    diag_add(context->diag, FINDING_KEY_IDLE, raw->serve.place, path,
             "without acme: there are no challenges to serve; the listener stays closed");
    return false;
}

static void build_listener(const struct settings_context *context, const struct raw_listen *raw,
                           size_t index, struct listen_address *listen)
{
    struct config *config = context->config;
    struct listen_address parsed;
    char path[64];

    snprintf(path, sizeof(path), "listen[%zu].address", index);
    if (parse_listen(context, raw, &parsed) != 0) {
        settings_report(
            context, FINDING_BAD_VALUE, &raw->address, path,
            "is not \"192.0.2.1:443\", \"[2001:db8::1]:443\" or \"unix:/path\" (at most "
            "107 bytes); [::] is all addresses");
    } else if (is_listed(config, parsed.text)) {
        settings_report(context, FINDING_BAD_VALUE, &raw->address, path,
                        "is listed twice; keep one of them");
    } else if (report_clash(context, &raw->address, path, &parsed)) {
        return;
    } else if (!parsed.serves_challenges || check_challenges(context, raw, index)) {
        build_proxies(context, &raw->proxy_protocol.trusted, index, &parsed);
        listen[config->n_listen++] = parsed;
    }
}

static void build_listen(const struct settings_context *context, const struct field_groups *raw)
{
    struct config *config = context->config;
    struct listen_address *listen = arena_array(config->arena, raw->n_items, sizeof(*listen));
    const struct raw_listen *items = raw->items;

    config->listen = listen;
    for (size_t i = 0; i < raw->n_items; i++)
        if (items[i].address.text.len > 0)
            build_listener(context, &items[i], i, listen);
}

static void build_admin(const struct settings_context *context, const struct field_text *raw)
{
    struct config *config = context->config;
    struct listen_address *admin = arena_alloc(config->arena, sizeof(*admin));

    if (raw->text.len == 0 || slice_eq_text(raw->text, "off"))
        return;
    admin->text = arena_copy(config->arena, raw->text);
    admin->place = raw->place;
    admin->is_default = raw->place.line == 0;
    if (parse_tcp(raw->text, config->arena, admin) == 0) {
        config->admin = admin;
        /* A default that cannot be opened is no error, see the start of the daemon. */
        if (!admin->is_default)
            report_clash(context, raw, "admin", admin);
        return;
    }
    settings_report(context, FINDING_BAD_VALUE, raw, "admin",
                    "is neither \"127.0.0.1:9847\", \"[::1]:9847\" nor off");
}

/* Users are looked up by name: a number that somebody copies from a container is none. */
static void build_user(const struct settings_context *context, const struct field_text *raw)
{
    uint64_t number;

    context->config->has_default_user = raw->place.line == 0;
    context->config->user = arena_copy(context->config->arena, raw->text);
    if (slice_to_u64(raw->text, UINT64_MAX, &number) == 0)
        settings_report(context, FINDING_BAD_VALUE, raw, "user",
                        "is a number; write the name of a user, as in mta-stsd; who does not start "
                        "as root needs no user:");
}

static void build_includes(struct config *config, const struct field_texts *raw)
{
    const char **includes = arena_array(config->arena, raw->n_items, sizeof(*includes));

    for (size_t i = 0; i < raw->n_items; i++)
        includes[i] = arena_copy(config->arena, raw->items[i].text);
    config->includes = includes;
    config->n_includes = raw->n_items;
}

/*
 * A program and its arguments. Returns NULL if there is none, and otherwise n_items texts.
 *
 * path     the key's
 * why      it needs a state directory
 * example  of a program
 */
static const char *const *build_program(const struct settings_context *context,
                                        const struct raw_settings *raw,
                                        const struct field_texts *run, const char *path,
                                        const char *why, const char *example)
{
    const char **arguments = arena_array(context->config->arena, run->n_items, sizeof(*arguments));
    char item_path[32], expected[128];

    if (run->n_items == 0)
        return NULL;
    for (size_t i = 0; i < run->n_items; i++)
        arguments[i] = arena_copy(context->config->arena, run->items[i].text);
    snprintf(item_path, sizeof(item_path), "%s[0]", path);
    snprintf(expected, sizeof(expected), "is not the absolute path of a program, as %s is",
             example);
    if (run->items[0].text.len > 0 && !slice_starts_with(run->items[0].text, "/"))
        settings_report(context, FINDING_BAD_VALUE, &run->items[0], item_path, expected);
    if (raw->state.place.line == 0)
        diag_add(context->diag, FINDING_KEY_MISSING, run->place, path, "%s", why);
    return arguments;
}

/* Whoever publishes must know what was published, which only the state directory tells. */
static void build_on_change(const struct settings_context *context, const struct raw_settings *raw)
{
    const struct field_texts *run = &raw->on_change.run;
    struct config *config = context->config;

    config->on_change_timeout_s = raw->on_change.timeout.value;
    config->on_change =
        build_program(context, raw, run, "on_change.run",
                      "on_change needs state:, where the daemon keeps which records were accepted",
                      "/etc/mta-stsd/publish");
    config->n_on_change = run->n_items;
    if (run->n_items > 0)
        config->on_change_place = run->items[0].place;
}

static void build_notify(const struct settings_context *context, const struct raw_settings *raw)
{
    static const uint32_t digest_s[] = {24 * 60 * 60, 7 * 24 * 60 * 60, 0}; /* daily, weekly, off */
    const struct field_texts *run = &raw->notify.run;
    struct config *config = context->config;

    config->notify_digest_s = digest_s[raw->notify.digest.value];
    config->notify_cooldown_s = raw->notify.cooldown.value;
    config->notify = build_program(context, raw, run, "notify.run",
                                   "notify needs state:, where the daemon keeps what was told",
                                   "/etc/mta-stsd/mail.sh");
    config->n_notify = run->n_items;
    if (run->n_items > 0)
        config->notify_place = run->items[0].place;
}

static void build_check(const struct settings_context *context, const struct raw_settings *raw)
{
    const struct field_number *every = &raw->check.every;

    context->config->check_every_s = every->value;
    if (every->place.line != 0 && raw->state.place.line == 0)
        diag_add(context->diag, FINDING_KEY_MISSING, every->place, "check.every",
                 "check needs state:, where the daemon keeps the results");
}

/* An authserv-id is a word (RFC 8601 2.2), nearly always a host name. */
static void build_reports(const struct settings_context *context, const struct raw_settings *raw)
{
    const struct field_text *id = &raw->reports.authserv_id;
    struct config *config = context->config;

    config->ready_after_s = raw->reports.ready_after.value;
    config->reports_late_s = raw->reports.late.value;
    config->tolerated_per_million = raw->reports.tolerated.value;
    if (id->text.len == 0)
        return;
    config->authserv_id = arena_copy(config->arena, id->text);
    for (size_t i = 0; i < id->text.len; i++)
        if (id->text.ptr[i] <= ' ' || id->text.ptr[i] > '~' || strchr("\"();,", id->text.ptr[i])) {
            settings_report(context, FINDING_BAD_VALUE, id, "reports.authserv_id",
                            "is not one word, as the name of a mail server is");
            return;
        }
}

/* Taken literally, the path would be that of a file that never exists. */
static void check_source_path(const struct settings_context *context, const struct field_text *raw,
                              size_t index, const char *key)
{
    char path[64], why[CERT_PATH_FAULT_MAX];

    snprintf(path, sizeof(path), "certificates[%zu].%s", index, key);
    if (raw->text.len > 0 && !cert_path_check(raw->text.ptr, why))
        settings_report(context, FINDING_BAD_VALUE, raw, path, why);
}

static void check_source_stars(const struct settings_context *context, const struct raw_source *raw,
                               size_t index)
{
    char path[64];

    if (raw->chain.text.len == 0 || raw->key.text.len == 0 ||
        cert_path_has_star(raw->chain.text.ptr) == cert_path_has_star(raw->key.text.ptr))
        return;
    snprintf(path, sizeof(path), "certificates[%zu].key", index);
    settings_report(context, FINDING_BAD_VALUE, &raw->key, path,
                    cert_path_has_star(raw->key.text.ptr)
                        ? "has a '*', and the chain has none; the key takes over what the chain's "
                          "matches"
                        : "has no '*', and the chain has one; write a '*' for the same text in the "
                          "key's path");
}

static void build_sources(const struct settings_context *context, const struct field_groups *raw,
                          struct cert_source *sources)
{
    struct config *config = context->config;
    const struct raw_source *items = raw->items;

    for (size_t i = 0; i < raw->n_items; i++) {
        const struct field_text *chain = &items[i].chain;
        const struct field_text *key = items[i].key.place.line != 0 ? &items[i].key : chain;

        check_source_path(context, &items[i].chain, i, "chain");
        check_source_path(context, &items[i].key, i, "key");
        check_source_stars(context, &items[i], i);
        if (chain->text.len > 0)
            sources[config->n_sources++] =
                (struct cert_source){written_path_resolve(config->arena, chain),
                                     written_path_resolve(config->arena, key)};
    }
}

/* Where a proxy terminates TLS, no certificates are needed. */
static bool needs_certificates(const struct config *config)
{
    for (size_t i = 0; i < config->n_listen; i++)
        if (config->listen[i].has_tls)
            return true;
    return false;
}

/* Those of the YAML come before what is ordered; without either, certificates are certbot's. */
static void build_certificates(const struct settings_context *context,
                               const struct field_groups *raw)
{
    struct config *config = context->config;
    struct cert_source *sources = arena_array(config->arena, raw->n_items + 1, sizeof(*sources));

    config->sources = sources;
    config->sources_place = raw->place;
    build_sources(context, raw, sources);
    config->n_given_sources = config->n_sources;
    if (config->acme && config->state) {
        sources[config->n_sources++] = acme_settings_source(config);
    } else if (raw->place.line == 0 && needs_certificates(config)) {
        sources[config->n_sources++] = default_source;
        config->n_given_sources = config->n_sources;
        config->has_default_sources = true;
    }
}

static const char *build_name(const struct settings_context *context, const struct field_text *raw,
                              const char *path)
{
    char name[DNS_NAME_MAX + 1], why[ERR_MSG_MAX + 32];
    struct err err;
    size_t len;

    if (raw->text.len == 0)
        return NULL;
    if (dns_name_parse(raw->text, name, &len, &err) != 0) {
        snprintf(why, sizeof(why), "is no domain name: it %s", err.msg);
        settings_report(context, FINDING_NAME_SYNTAX, raw, path, why);
        return NULL;
    }
    return arena_copy(context->config->arena, (struct slice){name, len});
}

static void build_addresses(const struct settings_context *context, const struct field_texts *raw)
{
    struct config *config = context->config;
    const char **addresses = arena_array(config->arena, raw->n_items, sizeof(*addresses));

    config->policy_host_addresses = addresses;
    for (size_t i = 0; i < raw->n_items; i++) {
        const char *text = raw->items[i].text.ptr;
        char path[64];

        snprintf(path, sizeof(path), "policy_host.addresses[%zu]", i);
        if (is_ip_address(AF_INET, text) || is_ip_address(AF_INET6, text))
            addresses[config->n_policy_host_addresses++] =
                arena_copy(config->arena, raw->items[i].text);
        else if (raw->items[i].text.len > 0)
            settings_report(context, FINDING_BAD_VALUE, &raw->items[i], path,
                            "is not an IPv4 or IPv6 address, as 192.0.2.1 or \"2001:db8::1\" is");
    }
}

static void build_hosts(const struct settings_context *context, const struct raw_settings *raw)
{
    struct config *config = context->config;

    config->policy_host_name = build_name(context, &raw->policy_host.name, "policy_host.name");
    config->report_host = build_name(context, &raw->report_host, "report_host");
    config->delegation_zone = build_name(context, &raw->delegation_zone, "delegation_zone");
    build_addresses(context, &raw->policy_host.addresses);
    if (raw->policy_host.name.place.line != 0 && raw->policy_host.addresses.place.line != 0)
        diag_add(context->diag, FINDING_KEY_CONFLICT, raw->policy_host.addresses.place,
                 "policy_host.addresses",
                 "policy_host has a name or addresses, not both, since a CNAME allows no other "
                 "record beside it; leave "
                 "one of them out");
}

void settings_build(const struct raw_settings *raw, struct config *config, struct diag *diag)
{
    const struct settings_context context = {config, diag,
                                             raw->acme.agree_to_terms.place.line != 0};

    if (raw->listen.place.line != 0) {
        build_listen(&context, &raw->listen);
    } else {
        config->listen = default_listen;
        config->n_listen = context.has_acme ? 2 : 1;
    }
    build_hosts(&context, raw);
    config->workers = raw->workers.value;
    config->shutdown_delay_s = raw->shutdown_delay.value;
    build_admin(&context, &raw->admin);
    build_control(&context, &raw->control);
    if (raw->state.text.len > 0)
        config->state = written_path_resolve(config->arena, &raw->state);
    acme_settings_build(&raw->acme, config, diag);
    build_certificates(&context, &raw->certificates);
    build_on_change(&context, raw);
    build_notify(&context, raw);
    build_check(&context, raw);
    build_reports(&context, raw);
    build_user(&context, &raw->user);
    config->has_sandbox = raw->sandbox.value == 1;
    build_includes(config, &raw->include);
    config->removed_percent = raw->limits.removed_percent.value;
    config->connections_max = raw->limits.connections.value;
    config->per_source_max = raw->limits.per_source.value;
    config->memory_max = (uint64_t)raw->limits.memory_mib.value << 20;
    config->log_level = (enum log_level)raw->log.level.value;
    config->access = (enum access_format)raw->log.access.value;
    config->ttl_mta_sts_s = raw->ttl.mta_sts.value;
    config->ttl_policy_host_s = raw->ttl.policy_host.value;
    config->ttl_tls_rpt_s = raw->ttl.tls_rpt.value;
}
