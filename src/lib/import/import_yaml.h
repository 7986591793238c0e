/* SPDX-License-Identifier: MIT */
/**
 * Imported policies as YAML that the configuration takes, alone or by include:.
 *
 * A policy that several domains have becomes a named one, with {domain} and {domain_dashed} where
 * the mx of each differ only by the domain's name.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct import_domain;

/**
 * Prints `domains`, first those that are served byte for byte as before.
 *
 * domains  sorted by name; names and mx in stored form, so that nothing in them has to be escaped
 */
void import_yaml_print(const struct import_domain *domains, size_t n_domains, FILE *out);
