/* SPDX-License-Identifier: MIT */
/**
 * The configuration: one immutable, reference-counted snapshot of everything the YAML says.
 *
 * The snapshot is freed as a whole. Names are in stored form (lib/dns/name.h). Any number of
 * threads may read a snapshot that they hold a reference to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/diag/config_finding.h"
#include "lib/policy/id.h"
#include "lib/policy/policy.h"

struct arena;
struct prefix;

/** A policy as it is served. Domains with the same bytes and salt share one. */
struct policy_document {
    struct policy policy;
    struct slice body; /* NUL-terminated */
    char id[POLICY_ID_LEN + 1];
};

/** Where a domain's TLS reports go; shared like documents. */
struct reporting {
    const char *const *rua; /* URIs, as published */
    size_t n_rua;
};

enum {
    DELEGATED_MTA_STS = 1 << 0,
    DELEGATED_TLS_RPT = 1 << 1,
};

/** One policy domain. */
struct domain {
    const char *name;
    const char *zone;                       /* the name itself or an ancestor */
    const char *policy_name;                /* NULL: the policy is the domain's own */
    const struct policy_document *document; /* NULL: TLS reporting only */
    const struct reporting *reporting;      /* NULL: no _smtp._tls record */
    finding_set allow;
    struct place place;
    unsigned delegated; /* DELEGATED_* */
    bool has_own_zone;  /* the YAML says in which zone it is */
};

enum listen_kind {
    LISTEN_TCP,
    LISTEN_UNIX,
};

struct listen_address {
    enum listen_kind kind;
    const char *text; /* as in the YAML */
    const char *host; /* TCP: numeric IPv4 or IPv6, without brackets; UNIX: the path */
    uint16_t port;
    bool has_tls;
    bool serves_challenges; /* of a certificate authority, and nothing else */
    bool is_default;        /* not from the YAML: the daemon can do without it */
    bool has_proxy_protocol;
    const struct prefix *trusted; /* peers whose headers are believed; UNIX: none, all are */
    size_t n_trusted;
    struct place place;
};

/** Where certificates may lie; paths as lib/config/cert_path.h has them. */
struct cert_source {
    const char *chain; /* PEM, leaf first */
    const char *key;   /* may equal chain: one combined file */
};

/** How certificates are ordered by ACME (RFC 8555); `acme:` in the YAML. */
struct acme_settings {
    const char *directory;     /* URL of the CA's directory */
    const char *account_email; /* NULL: the CA gets none */
    const char *eab_path;      /* file of the external account binding; NULL: none */
    bool has_orders;           /* false: another replica orders */
    uint32_t renew_before_s;   /* 0: a third of the certificate's life */
    uint32_t orders_per_hour;
    const char *challenges_at; /* URL of the replica that orders; NULL: challenges are ours */
};

/** Below the directory of `state:`, where ordered certificates lie; as struct cert_source. */
#define ACME_CERTIFICATES "certificates"
#define ACME_CHAIN_FILE "certificate.pem"
#define ACME_KEY_FILE "key.pem"

enum access_format {
    ACCESS_OFF,
    ACCESS_TEXT,
    ACCESS_JSON,
    ACCESS_FORMAT_COUNT,
};

struct config {
    _Atomic size_t n_references;
    struct arena *arena;

    const struct listen_address *listen;
    size_t n_listen;
    const struct listen_address *admin; /* NULL: none */
    unsigned workers;                   /* 0: one per core */
    uint32_t shutdown_delay_s;
    const char *control;      /* path of the control socket */
    bool has_default_control; /* not from the YAML: may be impossible to open */
    const char *state;        /* directory of what the daemon keeps; NULL: nothing is kept */
    const char *user;         /* the user that root becomes */
    bool has_default_user;    /* nobody has written it */
    bool has_sandbox;
    uint32_t removed_percent; /* share of the domains that one reload may drop */
    uint32_t connections_max; /* in all workers together */
    uint32_t per_source_max;  /* from one IPv4 address or IPv6 /64 */
    uint64_t memory_max;      /* bytes that all connections may hold; 0: by the machine's memory */
    enum log_level log_level;
    enum access_format access;

    const char *const *on_change; /* the program that publishes what changed, and its arguments */
    size_t n_on_change;           /* 0: none */
    struct place on_change_place; /* of the program's path */
    uint32_t on_change_timeout_s;
    const char *const
        *notify;     /* the program that is told what begins and ends, and its arguments */
    size_t n_notify; /* 0: none */
    struct place notify_place; /* of the program's path */
    uint32_t notify_digest_s;  /* from one digest to the next; 0: there is none */
    uint32_t notify_cooldown_s;
    uint32_t check_every_s; /* 0: no checks */

    const char *authserv_id; /* whose Authentication-Results are believed; NULL: nobody's */
    uint32_t ready_after_s;  /* before mode enforce is advised */
    uint32_t reports_late_s;
    uint32_t tolerated_per_million; /* failed sessions */

    const char *const *includes; /* patterns, as in the YAML */
    size_t n_includes;

    const struct cert_source *sources; /* none when no listener has TLS */
    size_t n_sources;
    size_t n_given_sources;   /* the first of them; the last may be of what acme: orders */
    bool has_default_sources; /* certbot's, because the YAML names none */
    struct place sources_place;

    const struct acme_settings *acme; /* NULL: certificates come from elsewhere */
    struct place acme_place;

    const char *policy_host_name; /* NULL: not set */
    const char *const *policy_host_addresses;
    size_t n_policy_host_addresses;
    const char *report_host;     /* NULL: each domain's own policy host */
    const char *delegation_zone; /* NULL: not set */
    uint32_t ttl_mta_sts_s, ttl_policy_host_s, ttl_tls_rpt_s;

    struct domain *domains; /* sorted by name; not in the arena */
    size_t n_domains;
};

struct config *config_ref(struct config *config);

/** Takes NULL. */
void config_unref(struct config *config);

/** The domain with this name in stored form, or NULL. */
const struct domain *config_find_domain(const struct config *config, struct slice name);

/**
 * The policy domain behind a policy host: "mta-sts.<domain>" where that domain has a policy.
 *
 * host  stored form
 * Returns NULL if the host is nobody's.
 */
const struct domain *config_find_policy_host(const struct config *config, struct slice host);

/** Hosts that the daemon answers TLS for beside the policy hosts: policy_host.name, report_host. */
bool config_is_own_host(const struct config *config, struct slice host);

/** Whether each value that needs a restart is the same; *ret_key names one that differs. */
bool config_can_replace(const struct config *current, const struct config *next,
                        const char **ret_key);
