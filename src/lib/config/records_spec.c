/* SPDX-License-Identifier: MIT */
#include "lib/config/records_spec.h"

#include "lib/config/config.h"
#include "lib/dns/record.h"

struct domain_records_spec domain_records_spec_make(const struct config *config,
                                                    const struct domain *domain,
                                                    const char *withheld)
{
    return (struct domain_records_spec){
        .domain = domain->name,
        .zone = domain->zone,
        .policy = domain->policy_name,
        .id = domain->document ? domain->document->id : NULL,
        .rua = domain->reporting ? domain->reporting->rua : NULL,
        .n_rua = domain->reporting ? domain->reporting->n_rua : 0,
        .policy_host_name = config->policy_host_name,
        .addresses = config->policy_host_addresses,
        .n_addresses = config->n_policy_host_addresses,
        .delegation_zone = config->delegation_zone,
        .delegates_mta_sts = (domain->delegated & DELEGATED_MTA_STS) != 0,
        .delegates_tls_rpt = (domain->delegated & DELEGATED_TLS_RPT) != 0,
        .ttl_mta_sts_s = config->ttl_mta_sts_s,
        .ttl_policy_host_s = config->ttl_policy_host_s,
        .ttl_tls_rpt_s = config->ttl_tls_rpt_s,
        .withheld = withheld,
    };
}
