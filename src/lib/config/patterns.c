/* SPDX-License-Identifier: MIT */
#include "lib/config/patterns.h"

#include "lib/yaml/decode.h"

const struct field_pattern pattern_policy_name = {
    .regex = "^[0-9A-Za-z_.-]{1,64}$",
    .expected = "a name of 1 to 64 letters, digits, '-', '_' or '.'",
};

/* A scheme is read in upper and lower case. */
const struct field_pattern pattern_rua = {
    .regex = "^([Mm][Aa][Ii][Ll][Tt][Oo]|[Hh][Tt][Tt][Pp][Ss]):",
    .expected = "\"mailto:name@example.com\", \"https://reports.example.com/path\" or \"https:\", "
                "this server",
};

const struct field_pattern pattern_listen = {
    .regex = "^(.+:[0-9]+|unix:/.+)$",
    .expected = "\"192.0.2.1:443\", \"[2001:db8::1]:443\" or \"unix:/path\"; [::] is all addresses",
};

#define CERT_PATH_TEXT "([^*$%<>{}]|\\{host\\}|\\{domain\\})"

const struct field_pattern pattern_cert_path = {
    .regex =
        "^(([^~*$%<>{}]|\\{host\\}|\\{domain\\})" CERT_PATH_TEXT "*)?(\\*" CERT_PATH_TEXT "*)?$",
    .expected = "a path, with {host} for mta-sts.<domain>, {domain} for the domain, at most one *, "
                "and without ~ or $HOME",
};

const struct field_pattern pattern_socket = {
    .regex = "^/",
    .expected = "the absolute path of a socket",
};

const struct field_pattern pattern_acme_directory = {
    .regex = "^(production|staging|https://.+)$",
    .expected = "production, staging, or the https: URL of another directory",
};

const struct field_pattern pattern_email = {
    .regex = "^[^@ ]+@[^@ ]+$",
    .expected = "an address, as in hostmaster@example.com",
};

const struct field_pattern pattern_http_url = {
    .regex = "^http://[^/?#]+/?$",
    .expected = "the http: URL of a host, as in http://orders.example.com",
};
