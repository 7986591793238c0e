/* SPDX-License-Identifier: MIT */
/*
 * Both records have one shape (RFC 8461 3.1, RFC 8460 3):
 *
 *   record      = version 1*(field-delim field) [field-delim]
 *   field-delim = *WSP ";" *WSP
 *   field       = key "=" key-value / extension      ; the key's field is required
 *   extension   = ext-name "=" ext-value
 *   ext-name    = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
 *   ext-value   = 1*(%x21-3A / %x3C / %x3E-7E)       ; no "=", ";", SP, CTL
 *
 *   _mta-sts:    version = %s"v=STSv1"     key = %s"id"   key-value = 1*32(ALPHA / DIGIT)
 *   _smtp._tls:  version = %s"v=TLSRPTv1"  key = %s"rua"  key-value = uri *(*WSP "," *WSP uri)
 *
 * No value holds a ";". Of several fields with the key's name the first counts and the values of
 * the others are not looked at (RFC 8461 3.2, last paragraph).
 */
#include "lib/dns/record_parse.h"

#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    EXT_NAME_MAX = 32,
};

struct grammar {
    const char *version;
    const char *filter; /* with its ";": what a candidate among several records begins with */
    const char *key;
};

static const struct grammar sts_grammar = {"v=STSv1", "v=STSv1;", "id"};
static const struct grammar tls_rpt_grammar = {"v=TLSRPTv1", "v=TLSRPTv1;", "rua"};

/* A record whose fields are being read. */
struct record {
    const struct grammar *grammar;
    struct slice text;
    struct slice value; /* of the key's first field; its ptr is NULL before that */
};

/* The place of an octet; where something is missing, one past the end. */
static struct place record_place_of(size_t at)
{
    return (struct place){.column = (uint32_t)at + 1};
}

static bool is_wsp(char byte)
{
    return byte == ' ' || byte == '\t';
}

static size_t skip_wsp(struct slice text, size_t at)
{
    while (at < text.len && is_wsp(text.ptr[at]))
        at++;
    return at;
}

/* Leading space is no part of any *WSP that a value may be followed by, so it stays. */
static struct slice trim_end(struct slice text)
{
    while (text.len > 0 && is_wsp(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static int record_select(const struct grammar *grammar, const struct slice *rrs, size_t n_rrs,
                         struct slice *ret_text, struct err *err)
{
    const struct slice *candidate = rrs;
    size_t n_candidates = 0;

    if (n_rrs == 0)
        return err_set(err, ERR_SYNTAX, "there is no TXT record");
    /* "v=STSv1 ;" follows the grammar but not the filter (erratum 6285), which is for several. */
    if (n_rrs > 1) {
        for (size_t i = 0; i < n_rrs; i++) {
            if (!slice_starts_with(rrs[i], grammar->filter))
                continue;
            candidate = &rrs[i];
            n_candidates++;
        }
        if (n_candidates != 1)
            return err_set(err, ERR_SYNTAX, "%zu of %zu TXT records begin with '%s', not one",
                           n_candidates, n_rrs, grammar->filter);
    }
    *ret_text = *candidate;
    return 0;
}

static int record_check_octets(struct slice text, struct err *err)
{
    char quoted[ERR_QUOTE_MAX];

    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) && text.ptr[i] != '\t')
            return err_at(err, record_place_of(i), ERR_SYNTAX, "%s is not printable ASCII",
                          err_quote(quoted, sizeof(quoted), slice_range(text, i, i + 1)));
    return 0;
}

static int record_check_version(const struct record *record, struct err *err)
{
    const char *version = record->grammar->version;
    size_t at = 0;

    while (version[at] && at < record->text.len && record->text.ptr[at] == version[at])
        at++;
    if (version[at])
        return err_at(err, record_place_of(at), ERR_SYNTAX, "does not begin with '%s'", version);
    return 0;
}

static bool record_is_ext_name(struct slice name)
{
    if (name.len == 0 || name.len > EXT_NAME_MAX || !ascii_is_alnum(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && !memchr("_-.", name.ptr[i], 3))
            return false;
    return true;
}

/* The octets are printable ASCII, space or tab already, and no ";". */
static bool record_is_ext_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '=' || is_wsp(value.ptr[i]))
            return false;
    return value.len > 0;
}

/* Reads the field that begins at *at and moves *at behind it. */
static int record_read_field(struct record *record, size_t *at, struct err *err)
{
    struct slice rest = slice_range(record->text, *at, record->text.len);
    struct slice field = trim_end(slice_range(rest, 0, slice_find_byte(rest, ';')));
    struct slice name = slice_range(field, 0, slice_find_byte(field, '='));
    struct slice value = slice_range(field, name.len + 1, field.len);
    char quoted[ERR_QUOTE_MAX];

    if (name.len == field.len)
        return err_at(err, record_place_of(*at), ERR_SYNTAX, "%s is not a field (name=value)",
                      err_quote(quoted, sizeof(quoted), field));
    if (!record_is_ext_name(name))
        return err_at(err, record_place_of(*at), ERR_SYNTAX,
                      "%s is not a field name (1 to %d letters, digits, '_', '-', '.')",
                      err_quote(quoted, sizeof(quoted), name), EXT_NAME_MAX);
    if (slice_eq_text(name, record->grammar->key)) {
        if (!record->value.ptr)
            record->value = value;
    } else if (!record_is_ext_value(value)) {
        return err_at(err, record_place_of(*at + name.len + 1), ERR_SYNTAX,
                      "the value of %s is empty or has a space or '=' in it",
                      err_quote(quoted, sizeof(quoted), name));
    }
    *at += field.len;
    return 0;
}

/* Everything behind the version. */
static int record_read_fields(struct record *record, struct err *err)
{
    struct slice text = record->text;
    size_t at = strlen(record->grammar->version);

    while (at < text.len) {
        size_t delim = skip_wsp(text, at);

        if (delim == text.len)
            return err_at(err, record_place_of(at), ERR_SYNTAX, "ends in a space without a ';'");
        if (text.ptr[delim] != ';')
            return err_at(err, record_place_of(delim), ERR_SYNTAX, "expected ';', found '%c'",
                          text.ptr[delim]);
        at = skip_wsp(text, delim + 1);
        if (at < text.len && record_read_field(record, &at, err) < 0)
            return -1;
    }
    if (!record->value.ptr)
        return err_at(err, record_place_of(text.len), ERR_SYNTAX, "has no field '%s'",
                      record->grammar->key);
    return 0;
}

static int record_read(struct record *record, const struct slice *rrs, size_t n_rrs,
                       struct err *err)
{
    if (record_select(record->grammar, rrs, n_rrs, &record->text, err) < 0 ||
        record_check_octets(record->text, err) < 0 || record_check_version(record, err) < 0)
        return -1;
    return record_read_fields(record, err);
}

/* The octet of the record that `value` has at `at`. */
static struct place record_place_in_value(const struct record *record, size_t at)
{
    return record_place_of((size_t)(record->value.ptr - record->text.ptr) + at);
}

int sts_record_parse(const struct slice *rrs, size_t n_rrs, struct sts_record *ret_record,
                     struct err *err)
{
    struct record record = {.grammar = &sts_grammar};
    char quoted[ERR_QUOTE_MAX];
    size_t n_good = 0;

    if (record_read(&record, rrs, n_rrs, err) < 0)
        return -1;
    while (n_good < record.value.len && n_good < STS_ID_MAX &&
           ascii_is_alnum(record.value.ptr[n_good]))
        n_good++;
    if (n_good == 0 || n_good < record.value.len)
        return err_at(err, record_place_in_value(&record, n_good), ERR_SYNTAX,
                      "id %s is not 1 to %d letters and digits",
                      err_quote(quoted, sizeof(quoted), record.value), STS_ID_MAX);
    *ret_record = (struct sts_record){0};
    memcpy(ret_record->id, record.value.ptr, record.value.len);
    return 0;
}

static size_t count_byte(struct slice text, char byte)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == byte;
    return n;
}

int tls_rpt_record_parse(const struct slice *rrs, size_t n_rrs, struct arena *arena,
                         struct tls_rpt_record *ret_record, struct err *err)
{
    struct record record = {.grammar = &tls_rpt_grammar};
    struct slice *rua;
    size_t n_rua, at = 0;

    if (record_read(&record, rrs, n_rrs, err) < 0)
        return -1;
    n_rua = count_byte(record.value, ',') + 1;
    rua = arena_array(arena, n_rua, sizeof(*rua));
    if (!rua)
        return err_set(err, ERR_LIMIT, "has too many addresses (%zu)", n_rua);
    for (size_t i = 0; i < n_rua; i++) {
        struct slice rest = slice_range(record.value, at, record.value.len);
        size_t comma = slice_find_byte(rest, ',');
        char quoted[ERR_QUOTE_MAX];
        const char *fault;

        rua[i] = trim_end(slice_range(rest, 0, comma));
        fault = tls_rpt_uri_fault(rua[i]);
        if (fault)
            return err_at(err, record_place_in_value(&record, at), ERR_SYNTAX, "rua %s %s",
                          err_quote(quoted, sizeof(quoted), rua[i]), fault);
        at = skip_wsp(record.value, at + comma + 1);
    }
    *ret_record = (struct tls_rpt_record){rua, n_rua};
    return 0;
}

/* RFC 6068 2: addr-spec, then the header fields behind a "?". */
static bool has_address(struct slice rest)
{
    struct slice address = slice_range(rest, 0, slice_find_byte(rest, '?'));
    size_t local_len = slice_find_byte(address, '@');

    return local_len > 0 && local_len + 1 < address.len;
}

/* RFC 3986 3.2: "//" [userinfo "@"] host [":" port], up to a "/", "?" or "#". */
static bool has_host(struct slice rest)
{
    struct slice authority;
    size_t len = 2;

    if (!slice_starts_with(rest, "//"))
        return false;
    while (len < rest.len && !memchr("/?#", rest.ptr[len], 3))
        len++;
    authority = slice_range(rest, 2, len);
    if (slice_find_byte(authority, '@') < authority.len)
        authority = slice_range(authority, slice_find_byte(authority, '@') + 1, authority.len);
    return slice_find_byte(authority, ':') > 0;
}

/* What RFC 8460 3 forbids in a rua, and what RFC 3986 has in no URI. */
static const char *record_octet_fault(char octet)
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

const char *tls_rpt_uri_fault(struct slice uri)
{
    size_t scheme_len = slice_find_byte(uri, ':');
    struct slice scheme = slice_range(uri, 0, scheme_len);
    struct slice rest = slice_range(uri, scheme_len + 1, uri.len);
    bool is_mailto = slice_eq_nocase(scheme, slice_of("mailto"));

    if (uri.len == 0)
        return "is empty";
    if (scheme_len == uri.len && slice_find_byte(uri, '@') < uri.len)
        return "is an e-mail address; write mailto: before it";
    if (scheme_len == uri.len || !(is_mailto || slice_eq_nocase(scheme, slice_of("https"))))
        return "is neither mailto: nor https:";
    for (size_t i = 0; i < rest.len; i++)
        if (record_octet_fault(rest.ptr[i]))
            return record_octet_fault(rest.ptr[i]);
    if (is_mailto)
        return has_address(rest) ? NULL : "has no address (mailto:name@example.com)";
    return has_host(rest) ? NULL : "has no host (https://reports.example.com/path)";
}
