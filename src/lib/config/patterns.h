/* SPDX-License-Identifier: MIT */
/**
 * Patterns: what some texts in the YAML look like, so that an editor underlines what is plainly
 * wrong.
 *
 * A pattern is wider than the check of its text, never narrower. Only the loader knows suffixes,
 * IDNA, addresses and lengths. Internal to config/.
 */
#pragma once

struct field_pattern;

extern const struct field_pattern pattern_policy_name; /* a key under policies: */
extern const struct field_pattern pattern_rua;         /* a report address */
extern const struct field_pattern pattern_listen;      /* address and port, or a unix socket */
extern const struct field_pattern pattern_cert_path;   /* cert_path_check() */
extern const struct field_pattern pattern_socket;      /* the path of a unix socket */
extern const struct field_pattern pattern_acme_directory;
extern const struct field_pattern pattern_email;
extern const struct field_pattern pattern_http_url; /* without a path */
