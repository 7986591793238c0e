/* SPDX-License-Identifier: MIT */
/**
 * What is said of a domain, for people. No text of a stranger is printed unescaped.
 */
#pragma once

#include <stdio.h>

struct arena;
struct domain_reports;

/** arena  for texts; uncapped */
void reports_text_print(const struct domain_reports *reports, struct arena *arena, FILE *out);
