/* SPDX-License-Identifier: MIT */
/**
 * What the formats for Terraform and OpenTofu share: HCL text, names, the frame of a resource.
 *
 * Terraform destroys what is in its state and no longer in the configuration. So the address of a
 * resource is made of what it publishes and of nothing else, and a withheld record is a resource
 * that is there in no instance (count = 0) and must not be destroyed: where nothing is published
 * yet nothing is done, and a plan that would delete what is published is refused.
 * For dns/format_terraform_*.c only.
 * Source: developer.hashicorp.com/terraform/language, "syntax/configuration", "expressions/strings"
 * and "meta-arguments/lifecycle".
 */
#pragma once

#include <stdio.h>

struct dns_record;
struct slice;

/** What differs between providers. */
struct terraform_provider {
    const char *resource;    /* type of the resource */
    const char *data_source; /* type of the data source that finds a zone by its name */
};

/** Prints bytes as a quoted template: `${` and `%{` stand for themselves. */
void terraform_print_text(struct slice text, FILE *out);

/** Begins `data "<data_source>" "mta-sts-zone_<zone>" {`, with an empty line before it. */
void terraform_begin_zone(const struct terraform_provider *provider, const char *zone, FILE *out);

/**
 * Begins a resource, after the comment on why it is withheld: its first line and the attributes
 * zone_id, name and type.
 *
 * part  what tells the resource from others of the record's name; NULL: nothing
 */
void terraform_begin_resource(const struct terraform_provider *provider,
                              const struct dns_record *record, const char *part, FILE *out);

/** Ends a resource. */
void terraform_end_resource(const struct dns_record *record, FILE *out);
