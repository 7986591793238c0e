/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions that ECMA-262 (with its u flag and without), Python, Java and RE2 read alike:
 * no look-around, no \d, no \u, and in a class nothing but plain characters and \xNN. A class that
 * is to hold all that is not ASCII names the ASCII that it lacks, since no upper end of Unicode is
 * written alike.
 */
#include "lib/config/patterns.h"

#include "lib/diag/finding.h"
#include "lib/yaml/decode.h"

#define LETTER "[^\\x00-\\x40\\x5b-\\x60\\x7b-\\x7f]"
#define ALNUM "[^\\x00-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]"
#define LDH "[^\\x00-\\x2c\\x2e-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]"
#define DOT "[.\u3002\uff0e\uff61]" /* IDNA takes all four */

/* A name whose last label is no number, as that of 192.0.2.1 is. */
#define NAME(labels, letter, alnum, ldh)                                                    \
    "(" alnum "(" ldh "{0,61}" alnum ")?" DOT ")" labels "([0-9]*" letter "(" ldh "*" alnum \
    ")?|[0-9]+-" ldh "*" alnum ")" DOT "?"

/* {domain} stands for letters among other things, so it may stand wherever a letter may. */
#define VARIABLE "\\{domain\\}"
#define OR_VARIABLE(class) "(" class "|" VARIABLE ")"

/* What RFC 3986 and RFC 8460 3 leave of ASCII for a rua, and that without what ends a part. */
#define URI "[\\x23-\\x2b\\x2d-\\x3a\\x3d\\x3f-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e]"
#define NOT_QUERY "[\\x23-\\x2b\\x2d-\\x3a\\x3d\\x40-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e]"
#define NOT_AT "[\\x23-\\x2b\\x2d-\\x3a\\x3d\\x41-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e]"
#define NOT_PATH "[\\x24-\\x2b\\x2d-\\x2e\\x30-\\x3a\\x3d\\x40-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e]"
#define MAILTO "[Mm][Aa][Ii][Ll][Tt][Oo]:"
#define HTTPS "[Hh][Tt][Tt][Pp][Ss]:"

#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IPV4 OCTET "\\." OCTET "\\." OCTET "\\." OCTET
#define IPV6 "[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"
#define PORT ":0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})"
#define TCP "(" IPV4 "|\\[" IPV6 "\\])" PORT
#define SOCKET "/[^\\x00]{0,106}"

/* The codes that allow: takes. */
static const char *allowed_code(size_t nth)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        if (finding_row((enum finding)i)->level != LEVEL_ERROR && nth-- == 0)
            return finding_row((enum finding)i)->code;
    return NULL;
}

const struct field_shape shape_policy_name = {
    .pattern = "^[0-9A-Za-z_.-]{1,64}$",
    .due = "a name of 1 to 64 letters, digits, '-', '_' or '.'",
};

const struct field_shape shape_domain = {
    .pattern = "^" NAME("+", LETTER, ALNUM, LDH) "$",
    .due = "a domain that takes mail, as example.com does",
};

const struct field_shape shape_name = {
    .pattern = "^" NAME("*", LETTER, ALNUM, LDH) "$",
    .due = "a domain name, as policy.example.net is",
};

const struct field_shape shape_mx = {
    .pattern =
        "^(\\*\\.)?" NAME("*", OR_VARIABLE(LETTER), OR_VARIABLE(ALNUM), OR_VARIABLE(LDH)) "$",
    .due = "the name of an MX host, as mail.example.com, \"*.example.com\" or \"mx.{domain}\"",
};

const struct field_shape shape_rua = {
    .pattern = "^(https:|" MAILTO OR_VARIABLE(NOT_AT) "+@" OR_VARIABLE(NOT_QUERY)
        OR_VARIABLE(URI) "*|" HTTPS "//" OR_VARIABLE(NOT_PATH) OR_VARIABLE(URI) "*)$",
    .due = "\"mailto:name@example.com\", \"https://reports.example.com/path\" or \"https:\", this "
           "server; what a URI reserves is written %XX",
};

const struct field_shape shape_code = {
    .word = allowed_code,
    .due = "the code of a warning or note, which stands in [] at the end of its line",
};

const struct field_shape shape_address = {
    .pattern = "^(" IPV4 "|" IPV6 ")$",
    .due = "an IPv4 or IPv6 address, as 192.0.2.1 or \"2001:db8::1\"",
};

const struct field_shape shape_peer = {
    .pattern = "^(unix|(" IPV4 "|" IPV6 ")(/[0-9]+)?)$",
    .due = "an address or a network, as 192.0.2.1 or \"2001:db8::/32\"; or unix",
};

const struct field_shape shape_listen = {
    .pattern = "^(" TCP "|unix:" SOCKET ")$",
    .due = "\"192.0.2.1:443\", \"[2001:db8::1]:443\" or \"unix:/path\"; [::] is all addresses",
};

const struct field_shape shape_admin = {
    .pattern = "^(off|" TCP ")$",
    .due = "\"127.0.0.1:9847\", \"[::1]:9847\" or off",
};

const struct field_shape shape_socket = {
    .pattern = "^" SOCKET "$",
    .due = "the absolute path of a socket, of at most 107 bytes",
};
