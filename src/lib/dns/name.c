/* SPDX-License-Identifier: MIT */
#include "lib/dns/name.h"

#include <string.h>

#include <idn2.h>

#include "lib/base/err.h"
#include "lib/base/lookalike.h"
#include "lib/base/slice.h"
#include "lib/base/utf8.h"

enum {
    /* A character takes at most four octets of UTF-8 and leaves at least one in an A-label. */
    UNICODE_MAX = 4 * (DNS_NAME_MAX + 1),
};

/* ALABEL_ROUNDTRIP: an "xn--" label that no U-label leads to is an error. Never
 * USE_STD3_ASCII_RULES: libidn2 2.3 then drops an underscore or a space instead of refusing it. */
static const int idna_flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_ALABEL_ROUNDTRIP;

static int fail_label_limit(struct err *err)
{
    return err_set(err, ERR_LIMIT, "has a label of more than %d octets", DNS_LABEL_MAX);
}

static int fail_name_limit(struct err *err)
{
    return err_set(err, ERR_LIMIT, "is longer than %d octets", DNS_NAME_MAX);
}

/* Bytes of other scripts pass: libidn2 judges them. */
static int check_ascii(struct slice text, struct err *err)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i], quoted[ERR_QUOTE_MAX];

        /* The usual octet first, without a call: that halves what a plain name costs. */
        if ((byte >= 'a' && byte <= 'z') || byte == '.' || byte == '-' || (byte & 0x80) ||
            ascii_is_alnum(byte))
            continue;
        return err_set(err, ERR_SYNTAX, "has %s in it; letters, digits and inner hyphens may be",
                       err_quote(quoted, sizeof(quoted), slice_range(text, i, i + 1)));
    }
    return 0;
}

static int check_label(struct slice label, struct err *err)
{
    if (label.len == 0)
        return err_set(err, ERR_SYNTAX, "has an empty label");
    if (label.len > DNS_LABEL_MAX)
        return fail_label_limit(err);
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return err_set(err, ERR_SYNTAX, "has a label that begins or ends with a hyphen");
    return 0;
}

static bool is_number(struct slice label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_digit(label.ptr[i]))
            return false;
    return true;
}

static int check_name(struct slice name, struct err *err)
{
    struct slice label, rest = name;

    if (name.len == 0)
        return err_set(err, ERR_SYNTAX, "is empty");
    if (name.len > DNS_NAME_MAX)
        return fail_name_limit(err);
    if (check_ascii(name, err) < 0)
        return -1;
    for (;;) {
        label = slice_range(rest, 0, slice_find_byte(rest, '.'));
        if (check_label(label, err) < 0)
            return -1;
        if (label.len == rest.len)
            break;
        rest = slice_range(rest, label.len + 1, rest.len);
    }
    if (is_number(label))
        return err_set(err, ERR_SYNTAX, "ends in a number, as addresses do and names do not");
    return 0;
}

static int fail_idna(int rc, struct err *err)
{
    if (rc == IDN2_TOO_BIG_DOMAIN)
        return fail_name_limit(err);
    if (rc == IDN2_TOO_BIG_LABEL || rc == IDN2_PUNYCODE_BIG_OUTPUT)
        return fail_label_limit(err);
    return err_set(err, ERR_SYNTAX, "is not a valid internationalised name (%s)",
                   idn2_strerror(rc));
}

/* *ret_ascii is for idn2_free(). */
static int to_a_labels(struct slice text, uint8_t **ret_ascii, struct err *err)
{
    uint8_t terminated[UNICODE_MAX + 1];
    int rc;

    if (text.len > UNICODE_MAX)
        return fail_name_limit(err);
    if (!utf8_is_valid(text))
        return err_set(err, ERR_SYNTAX, "is not valid UTF-8");
    /* libidn2 would stop at a NUL, and says something else about other ASCII that cannot be. */
    if (check_ascii(text, err) < 0)
        return -1;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = '\0';
    rc = idn2_lookup_u8(terminated, ret_ascii, idna_flags);
    if (rc != IDN2_OK && lookalike_find(text, NULL))
        return err_set(err, ERR_SYNTAX, "has %s in it; type it anew in plain ASCII",
                       lookalike_find(text, NULL));
    return rc == IDN2_OK ? 0 : fail_idna(rc, err);
}

static bool needs_idna(struct slice text)
{
    bool is_label_start = true;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] & 0x80)
            return true;
        if (is_label_start && ascii_to_lower(text.ptr[i]) == 'x' &&
            slice_eq_nocase(slice_range(text, i, i + 4), slice_of("xn--")))
            return true;
        is_label_start = text.ptr[i] == '.';
    }
    return false;
}

int dns_name_parse(struct slice text, char ret_name[DNS_NAME_MAX + 1], size_t *ret_len,
                   struct err *err)
{
    uint8_t *ascii = NULL;
    int rc;

    if (needs_idna(text)) {
        if (to_a_labels(text, &ascii, err) < 0)
            return -1;
        text = slice_of((const char *)ascii);
    }
    if (text.len > 1 && text.ptr[text.len - 1] == '.')
        text.len--;
    rc = check_name(text, err);
    if (rc == 0) {
        for (size_t i = 0; i < text.len; i++)
            ret_name[i] = ascii_to_lower(text.ptr[i]);
        ret_name[text.len] = '\0';
        if (ret_len)
            *ret_len = text.len;
    }
    idn2_free(ascii);
    return rc;
}

bool dns_name_is_within(struct slice name, struct slice zone)
{
    if (name.len <= zone.len)
        return slice_eq(name, zone);
    return name.ptr[name.len - zone.len - 1] == '.' &&
           slice_eq(slice_range(name, name.len - zone.len, name.len), zone);
}
