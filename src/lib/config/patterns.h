/* SPDX-License-Identifier: MIT */
/**
 * Shapes: what the texts in the YAML look like, for editors (see lib/yaml/decode.h).
 *
 * A shape is wider than the check of its text, never narrower: no list of suffixes, no IDNA, no
 * lengths of names. Internal to config/.
 */
#pragma once

struct field_shape;

extern const struct field_shape shape_policy_name; /* a key under policies: */
extern const struct field_shape shape_domain;      /* a key under domains: */
extern const struct field_shape shape_name;        /* any other domain name */
extern const struct field_shape shape_mx;          /* an mx pattern, {domain} included */
extern const struct field_shape shape_rua;         /* a report address, {domain} included */
extern const struct field_shape shape_code;        /* of a warning or note */
extern const struct field_shape shape_address;     /* IPv4 or IPv6 */
extern const struct field_shape shape_peer;        /* an address, a network, or unix */
extern const struct field_shape shape_listen;      /* address and port, or a unix socket */
extern const struct field_shape shape_admin;       /* address and port, or off */
extern const struct field_shape shape_socket;      /* the path of a unix socket */
