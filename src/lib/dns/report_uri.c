/* SPDX-License-Identifier: MIT */
/*
 * mailto    = "mailto:" to [ "?" hfields ]
 * to        = addr-spec *("%2C" addr-spec)       ; "," must be encoded within rua= (RFC 8460 3)
 * addr-spec = local-part "@" domain
 * local-part, domain = part *("." part)
 * part      = 1*(any octet of a URI but "." "@" "?")
 *
 * A local part in quotes begins with %22 and may have dots anywhere; a domain that is an address
 * literal begins with %5B (RFC 6068 2 has these encoded).
 */
#include "lib/dns/report_uri.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/lookalike.h"
#include "lib/base/slice.h"

static struct slice uri_after(struct slice text, size_t at)
{
    return slice_range(text, at, text.len);
}

static bool has_byte(struct slice text, char byte)
{
    return slice_find_byte(text, byte) < text.len;
}

static struct slice uri_scheme(struct slice uri)
{
    return slice_range(uri, 0, slice_find_byte(uri, ':'));
}

static struct slice uri_rest(struct slice uri)
{
    return uri_after(uri, slice_find_byte(uri, ':') + 1);
}

static bool is_mailto(struct slice uri)
{
    return slice_eq_nocase(uri_scheme(uri), slice_of("mailto"));
}

static bool has_empty_part(struct slice dotted)
{
    return dotted.len == 0 || dotted.ptr[0] == '.' || slice_ends_with(dotted, ".") ||
           memmem(dotted.ptr, dotted.len, "..", 2);
}

static const char *address_fault(struct slice address)
{
    struct slice local = slice_range(address, 0, slice_find_byte(address, '@'));
    struct slice domain = uri_after(address, local.len + 1);

    if (local.len == 0 || domain.len == 0)
        return "has no address (mailto:name@example.com)";
    if (has_byte(domain, '@'))
        return "has two '@'; an address has one, and several addresses are several URIs";
    if (slice_ends_with(domain, "."))
        return "ends in a dot, which no e-mail address does; remove it";
    if (has_empty_part(domain) || (!slice_starts_with(local, "%22") && has_empty_part(local)))
        return "has nothing before, after or between dots of its address";
    return NULL;
}

/* Where the separator of two addresses begins, or the length. */
static size_t find_separator(struct slice text)
{
    const char *found = text.len > 0 ? memmem(text.ptr, text.len, "%2C", 3) : NULL;

    if (!found && text.len > 0)
        found = memmem(text.ptr, text.len, "%2c", 3);
    return found ? (size_t)(found - text.ptr) : text.len;
}

/* A local part may hold an encoded comma too: "a%2Cb@example.com". */
static const char *addresses_fault(struct slice rest)
{
    struct slice to = slice_range(rest, 0, slice_find_byte(rest, '?'));
    size_t at = slice_find_byte(to, '@');

    while (has_byte(uri_after(to, at + 1), '@')) {
        struct slice domain = uri_after(to, at + 1);
        size_t end = at + 1 + find_separator(domain);
        const char *fault;

        if (end == to.len)
            break;
        fault = address_fault(slice_range(to, 0, end));
        if (fault)
            return fault;
        to = uri_after(to, end + 3);
        at = slice_find_byte(to, '@');
    }
    return address_fault(to);
}

/* "//" [userinfo "@"] host [":" port], up to a "/", "?" or "#". */
static bool has_host(struct slice rest)
{
    struct slice authority;
    size_t len = 2;

    if (!slice_starts_with(rest, "//"))
        return false;
    while (len < rest.len && !memchr("/?#", rest.ptr[len], 3))
        len++;
    authority = slice_range(rest, 2, len);
    if (has_byte(authority, '@'))
        authority = uri_after(authority, slice_find_byte(authority, '@') + 1);
    return slice_find_byte(authority, ':') > 0;
}

/* What RFC 8460 3 forbids in a rua, and what RFC 3986 has in no URI. */
static const char *octet_fault(char octet)
{
    static const struct {
        char octet;
        const char *fault;
    } rows[] = {
        {'!', "has '!' in it, which is written %21"},
        {',', "has ',' in it, which is written %2C"},
        {';', "has ';' in it, which is written %3B"},
        {' ', "has a space in it, which is written %20"},
        {'"', "has '\"' in it, which is written %22"},
        {'<', "has '<' in it, which is written %3C"},
        {'>', "has '>' in it, which is written %3E"},
        {'\\', "has '\\' in it, which is written %5C"},
        {'^', "has '^' in it, which is written %5E"},
        {'`', "has '`' in it, which is written %60"},
        {'{', "has '{' in it, which is written %7B"},
        {'|', "has '|' in it, which is written %7C"},
        {'}', "has '}' in it, which is written %7D"},
    };

    if (octet & 0x80)
        return "has a character outside of ASCII in it; a host name is written as A-labels, "
               "the rest as %XX";
    if (octet < 0x20 || octet == 0x7f)
        return "has a control character in it, which is written %XX";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (octet == rows[i].octet)
            return rows[i].fault;
    return NULL;
}

/* "!10m", as DMARC has it. */
static bool has_size_limit(struct slice rest)
{
    size_t at = slice_find_byte(rest, '!') + 1, begin = at;

    while (at < rest.len && ascii_is_digit(rest.ptr[at]))
        at++;
    if (at < rest.len && at > begin && memchr("kmgt", ascii_to_lower(rest.ptr[at]), 4))
        at++;
    return at > begin && at == rest.len;
}

/* What somebody meant whose octet is no part of the address, so that no encoding helps. */
static const char *mistake_in(struct slice rest)
{
    struct slice comma = uri_after(rest, slice_find_byte(rest, ',') + 1);
    struct slice semicolon = uri_after(rest, slice_find_byte(rest, ';') + 1);

    if (slice_starts_with(rest, " "))
        return "has a space after its ':'; remove it";
    if (slice_ends_with(rest, " "))
        return "ends in a space; remove it";
    if (slice_starts_with(rest, "<") || slice_ends_with(rest, ">"))
        return "has its address in <>; write the address without them";
    if (has_size_limit(rest))
        return "ends in a size limit, which DMARC has and TLS reporting has not; remove it from "
               "the '!' on";
    if (has_byte(comma, ':') || has_byte(comma, '@') || has_byte(semicolon, '@'))
        return "has two addresses; write each by itself, with its own mailto: or https:";
    if (lookalike_find(rest, NULL))
        return "has a typographic quote, dash or space in it; type it anew in plain ASCII";
    return NULL;
}

static const char *octets_fault(struct slice rest)
{
    for (size_t i = 0; i < rest.len; i++) {
        const char *fault = octet_fault(rest.ptr[i]), *mistake;

        if (!fault)
            continue;
        mistake = mistake_in(rest);
        return mistake ? mistake : fault;
    }
    return NULL;
}

const char *tls_rpt_uri_fault(struct slice uri)
{
    struct slice scheme = uri_scheme(uri), rest = uri_rest(uri);
    bool is_mail = is_mailto(uri);
    const char *fault;

    if (uri.len == 0)
        return "is empty";
    if (uri.ptr[0] == ' ')
        return "begins with a space; remove it";
    if (uri.ptr[0] == '"' || uri.ptr[0] == '\'')
        return "begins with a quote; write the address without quotes";
    if (slice_starts_with(uri, "<"))
        return "is in <>; write the address without them, as in mailto:name@example.com";
    if (memmem(uri.ptr + 1, uri.len - 1, "mailto:", 7) && !is_mail)
        return "has something before mailto:; write the address alone";
    if (scheme.len == uri.len && has_byte(uri, '@'))
        return "is an e-mail address; write mailto: before it";
    if (scheme.len == uri.len || !(is_mail || slice_eq_nocase(scheme, slice_of("https"))))
        return "is neither mailto: nor https:";
    fault = octets_fault(rest);
    if (fault)
        return fault;
    if (is_mail)
        return addresses_fault(rest);
    return has_host(rest) ? NULL : "has no host (https://reports.example.com/path)";
}

static bool is_ipv4(struct slice text)
{
    char copy[INET_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in_addr)];

    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, bytes) == 1;
}

const char *tls_rpt_uri_doubt(struct slice uri)
{
    struct slice rest = uri_rest(uri);
    struct slice to = slice_range(rest, 0, slice_find_byte(rest, '?'));
    struct slice domain = uri_after(to, slice_find_byte(to, '@') + 1);

    if (!is_mailto(uri))
        return NULL;
    if (slice_starts_with(rest, "//"))
        return "has '//' after mailto:, which senders take for a part of the name; remove it";
    if (is_ipv4(domain) || slice_starts_with(domain, "[") || slice_starts_with(domain, "%5B"))
        return "has an address in place of a domain, where hardly any sender delivers; write the "
               "domain";
    if (!has_byte(domain, '.') && !has_byte(domain, '%'))
        return "has a domain without a dot, where hardly any sender delivers; write its whole name";
    return NULL;
}
