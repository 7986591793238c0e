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
 * No value holds a ";". Of several id fields the first counts and the values of the others are not
 * looked at (RFC 8461 3.2, last paragraph); the addresses of several rua fields all count (RFC 8460
 * 3).
 */
#include "lib/dns/record_parse.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/lookalike.h"
#include "lib/base/suggest.h"
#include "lib/dns/report_uri.h"

enum {
    EXT_NAME_MAX = 32,
};

struct grammar {
    const char *version;
    const char *filter; /* with its ";": what a candidate among several records begins with */
    const char *key;
};

/* What a record of another kind begins with. */
static const struct other_version {
    const char *version;
    const char *what;
} other_versions[] = {
    {"v=STSv1", "the record of _mta-sts"},
    {"v=TLSRPTv1", "the record of _smtp._tls, for TLS reports"},
    {"v=spf1", "an SPF record"},
    {"v=DMARC1", "a DMARC record"},
    {"v=DKIM1", "a DKIM key"},
    {"v=BIMI1", "a BIMI record"},
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

    for (size_t i = 0; i < text.len; i++) {
        const char *lookalike = NULL;
        size_t at = 0;

        if ((text.ptr[i] >= 0x20 && text.ptr[i] <= 0x7e) || text.ptr[i] == '\t')
            continue;
        lookalike = lookalike_find(slice_range(text, i, text.len), &at);
        return err_at(err, record_place_of(i), ERR_SYNTAX, "%s is not printable ASCII%s%s%s",
                      err_quote(quoted, sizeof(quoted), slice_range(text, i, i + 1)),
                      lookalike && at == 0 ? "; it begins " : "",
                      lookalike && at == 0 ? lookalike : "",
                      lookalike && at == 0 ? ", so type that anew" : "");
    }
    return 0;
}

/* Says what a text is that does not begin with the version, as the end of a sentence; "": unknown.
 */
static const char *record_guess(const struct record *record, char *buffer, size_t size)
{
    struct slice text = record->text;
    const char *version = record->grammar->version;

    if (slice_eq_nocase(slice_range(text, 0, strlen(version)), slice_of(version)))
        return "; upper and lower case count";
    for (size_t i = 0; i < ARRAY_LEN(other_versions); i++) {
        const char *other = other_versions[i].version;

        if (!slice_eq_nocase(slice_range(text, 0, strlen(other)), slice_of(other)))
            continue;
        snprintf(buffer, size, "; this is %s", other_versions[i].what);
        return buffer;
    }
    if (text.len > 0 && memchr(" \t'\"`", text.ptr[0], 5)) {
        snprintf(buffer, size, "; remove the %s before it",
                 is_wsp(text.ptr[0]) ? "space" : "quote");
        return buffer;
    }
    return "";
}

static int record_check_version(const struct record *record, struct err *err)
{
    const char *version = record->grammar->version;
    char guess[96];
    size_t at = 0;

    while (version[at] && at < record->text.len && record->text.ptr[at] == version[at])
        at++;
    if (version[at])
        return err_at(err, record_place_of(at), ERR_SYNTAX, "does not begin with '%s'%s", version,
                      record_guess(record, guess, sizeof(guess)));
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

/*
 * Finds the next field with the key's name in a record whose fields have been read. *at is 0 at
 * first; false: there is none.
 */
static bool record_next_value(const struct record *record, size_t *at, struct slice *ret_value)
{
    struct slice key = slice_of(record->grammar->key);

    while (*at < record->text.len) {
        struct slice rest = slice_range(record->text, *at, record->text.len);
        struct slice field = slice_range(rest, 0, slice_find_byte(rest, ';'));

        *at += field.len + 1;
        field = trim_end(slice_range(field, skip_wsp(field, 0), field.len));
        if (!slice_eq(slice_range(field, 0, slice_find_byte(field, '=')), key))
            continue;
        *ret_value = slice_range(field, key.len + 1, field.len);
        return true;
    }
    return false;
}

/* The key is missing; names the field that was meant to be it: "RUA", "ruf", "ID". */
static int record_fail_missing(const struct record *record, struct err *err)
{
    const char *key = record->grammar->key;
    struct slice rest = record->text;
    char quoted[ERR_QUOTE_MAX];

    while (rest.len > 0) {
        struct slice field = slice_trim(slice_range(rest, 0, slice_find_byte(rest, ';')));
        struct slice name = slice_range(field, 0, slice_find_byte(field, '='));

        if (slice_eq_nocase(name, slice_of(key)) || suggest_word(name, &key, 1))
            return err_at(err, record_place_of(record->text.len), ERR_SYNTAX,
                          "has no field '%s'; write %s as '%s'", key,
                          err_quote(quoted, sizeof(quoted), name), key);
        rest = slice_range(rest, slice_find_byte(rest, ';') + 1, rest.len);
    }
    return err_at(err, record_place_of(record->text.len), ERR_SYNTAX, "has no field '%s'", key);
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
            return err_at(err, record_place_of(delim), ERR_SYNTAX, "expected ';', found '%c'%s",
                          text.ptr[delim],
                          text.ptr[delim] == '\\' ? ": '\\;' is how zone files and octoDNS write a "
                                                    "';', and the record itself has ';' alone"
                                                  : "");
        at = skip_wsp(text, delim + 1);
        if (at < text.len && record_read_field(record, &at, err) < 0)
            return -1;
    }
    if (!record->value.ptr)
        return record_fail_missing(record, err);
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

/* The octet of the record that a part of it has at `at`. */
static struct place record_place_in(const struct record *record, struct slice part, size_t at)
{
    return record_place_of((size_t)(part.ptr - record->text.ptr) + at);
}

static bool record_has_loose_version(const struct record *record)
{
    return !slice_starts_with(record->text, record->grammar->filter);
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
        return err_at(err, record_place_in(&record, record.value, n_good), ERR_SYNTAX,
                      "id %s is not 1 to %d letters and digits%s",
                      err_quote(quoted, sizeof(quoted), record.value), STS_ID_MAX,
                      slice_starts_with(record.value, " ") ? "; remove the space after 'id='" : "");
    *ret_record = (struct sts_record){.has_loose_version = record_has_loose_version(&record)};
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

static size_t count_addresses(const struct record *record)
{
    size_t n = 0, at = 0;
    struct slice value;

    while (record_next_value(record, &at, &value))
        n += count_byte(value, ',') + 1;
    return n;
}

/* Takes the addresses of one rua field; returns how many, or 0 with *err set. */
static size_t split_addresses(const struct record *record, struct slice value, struct slice *rua,
                              struct err *err)
{
    size_t n = 0, at = 0;

    do {
        struct slice rest = slice_range(value, at, value.len);
        size_t comma = slice_find_byte(rest, ',');
        char quoted[ERR_QUOTE_MAX];
        const char *fault;

        rua[n] = trim_end(slice_range(rest, 0, comma));
        fault = tls_rpt_uri_fault(rua[n]);
        if (fault) {
            err_at(err, record_place_in(record, value, at), ERR_SYNTAX, "rua %s %s",
                   err_quote(quoted, sizeof(quoted), rua[n]), fault);
            return 0;
        }
        n++;
        at = comma < rest.len ? skip_wsp(value, at + comma + 1) : value.len + 1;
    } while (at <= value.len);
    return n;
}

int tls_rpt_record_parse(const struct slice *rrs, size_t n_rrs, struct arena *arena,
                         struct tls_rpt_record *ret_record, struct err *err)
{
    struct record record = {.grammar = &tls_rpt_grammar};
    struct slice *rua, value;
    size_t n_rua, n_found = 0, at = 0;

    if (record_read(&record, rrs, n_rrs, err) < 0)
        return -1;
    n_rua = count_addresses(&record);
    rua = arena_array(arena, n_rua, sizeof(*rua));
    if (!rua)
        return err_set(err, ERR_LIMIT, "has too many addresses (%zu)", n_rua);
    while (record_next_value(&record, &at, &value)) {
        size_t n = split_addresses(&record, value, rua + n_found, err);

        if (n == 0)
            return -1;
        n_found += n;
    }
    *ret_record = (struct tls_rpt_record){rua, n_rua, record_has_loose_version(&record)};
    return 0;
}
