/* SPDX-License-Identifier: MIT */
/*
 * RFC 8601 2.2, with what servers write besides it: properties without a type ("action=none"),
 * empty values, a semicolon at the end.
 *
 *     authres-value = [CFWS] value [ CFWS version ] *( [CFWS] ";" [ result ] ) [CFWS]
 *     result        = [CFWS] "none" / pair *( CFWS pair )
 *     pair          = key [CFWS] "=" [CFWS] value        ; the first: method "/" version = result
 *     key           = 1*( token [CFWS] "." [CFWS] ) token
 *     value         = *( quoted-string / any byte but CFWS and ";" )
 */
#include "reports/auth_results.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    AUTH_TEXT_MAX = 320, /* bytes of a key or of a value: a mail address and more */
    AUTH_COMMENT_DEPTH = 16,
};

struct auth_cursor {
    struct slice rest;
    bool is_broken;
};

/* Quotes and backslashes are gone. */
struct auth_text {
    char bytes[AUTH_TEXT_MAX];
    size_t len;
};

/* The signature that a result is about. */
struct auth_signature {
    bool is_dkim, is_good;
    struct auth_text domain, identity; /* header.d, header.i */
};

static bool auth_at(const struct auth_cursor *cursor, char byte)
{
    return cursor->rest.len > 0 && cursor->rest.ptr[0] == byte;
}

static void auth_skip(struct auth_cursor *cursor, size_t count)
{
    cursor->rest = slice_range(cursor->rest, count, cursor->rest.len);
}

static bool auth_at_space(const struct auth_cursor *cursor)
{
    return cursor->rest.len > 0 && memchr(" \t\r\n", cursor->rest.ptr[0], 4);
}

static void comment_skip(struct auth_cursor *cursor)
{
    unsigned depth = 0;

    do {
        if (auth_at(cursor, '('))
            depth++;
        else if (auth_at(cursor, ')'))
            depth--;
        else if (auth_at(cursor, '\\'))
            auth_skip(cursor, 1);
        if (cursor->rest.len == 0 || depth > AUTH_COMMENT_DEPTH) {
            cursor->is_broken = true;
            return;
        }
        auth_skip(cursor, 1);
    } while (depth > 0);
}

static void cfws_skip(struct auth_cursor *cursor)
{
    while (!cursor->is_broken) {
        if (auth_at_space(cursor))
            auth_skip(cursor, 1);
        else if (auth_at(cursor, '('))
            comment_skip(cursor);
        else
            return;
    }
}

static void auth_text_add(struct auth_cursor *cursor, struct auth_text *text)
{
    if (cursor->rest.len == 0 || text->len == sizeof(text->bytes)) {
        cursor->is_broken = true;
        return;
    }
    text->bytes[text->len++] = cursor->rest.ptr[0];
    auth_skip(cursor, 1);
}

static void quoted_read(struct auth_cursor *cursor, struct auth_text *text)
{
    auth_skip(cursor, 1);
    while (!cursor->is_broken && !auth_at(cursor, '"')) {
        if (auth_at(cursor, '\\'))
            auth_skip(cursor, 1);
        auth_text_add(cursor, text);
    }
    auth_skip(cursor, 1);
}

static void auth_value_read(struct auth_cursor *cursor, struct auth_text *text)
{
    text->len = 0;
    while (!cursor->is_broken && cursor->rest.len > 0 && !auth_at_space(cursor) &&
           !auth_at(cursor, ';') && !auth_at(cursor, '(')) {
        if (auth_at(cursor, '"'))
            quoted_read(cursor, text);
        else
            auth_text_add(cursor, text);
    }
}

static bool at_token(const struct auth_cursor *cursor)
{
    return cursor->rest.len > 0 && cursor->rest.ptr[0] > ' ' && cursor->rest.ptr[0] < 0x7f &&
           !strchr("()<>@,;:\\\"[]?=", cursor->rest.ptr[0]);
}

static void auth_key_read(struct auth_cursor *cursor, struct auth_text *text)
{
    text->len = 0;
    do {
        while (!cursor->is_broken && at_token(cursor))
            auth_text_add(cursor, text);
        cfws_skip(cursor);
    } while (!cursor->is_broken && at_token(cursor) &&
             (auth_at(cursor, '.') || (text->len > 0 && text->bytes[text->len - 1] == '.')));
    if (text->len == 0)
        cursor->is_broken = true;
}

static bool auth_text_is(const struct auth_text *text, const char *word)
{
    return slice_eq_nocase((struct slice){text->bytes, text->len}, slice_of(word));
}

/* "dkim", also with a version: "dkim/1". */
static bool key_is_dkim(const struct auth_text *key)
{
    struct slice text = {key->bytes, key->len};

    return slice_eq_nocase(slice_range(text, 0, slice_find_byte(text, '/')), slice_of("dkim"));
}

/* Reads a key and, after "=", its value; a key alone is the "none" of a mail without results. */
static void auth_pair_read(struct auth_cursor *cursor, struct auth_text *key,
                           struct auth_text *value)
{
    value->len = 0;
    auth_key_read(cursor, key);
    if (!auth_at(cursor, '=')) {
        if (!auth_text_is(key, "none"))
            cursor->is_broken = true;
        return;
    }
    auth_skip(cursor, 1);
    cfws_skip(cursor);
    auth_value_read(cursor, value);
    cfws_skip(cursor);
}

static void signature_read(struct auth_cursor *cursor, struct auth_signature *signature)
{
    struct auth_text key, value;

    *signature = (struct auth_signature){0};
    if (cursor->rest.len == 0 || auth_at(cursor, ';'))
        return;
    auth_pair_read(cursor, &key, &value);
    signature->is_dkim = key_is_dkim(&key);
    signature->is_good = auth_text_is(&value, "pass");
    while (!cursor->is_broken && cursor->rest.len > 0 && !auth_at(cursor, ';')) {
        auth_pair_read(cursor, &key, &value);
        if (auth_text_is(&key, "header.d"))
            signature->domain = value;
        else if (auth_text_is(&key, "header.i"))
            signature->identity = value;
    }
}

/*
 * The signer owns `domain`: it has the name itself or one above it. A domain below is often
 * somebody else's, such as a customer's, and speaks for nobody but itself.
 */
static bool signature_covers(const struct auth_signature *signature, struct slice domain,
                             char ret_signer[DNS_NAME_MAX + 1])
{
    struct slice identity = {signature->identity.bytes, signature->identity.len};
    struct slice signer = {signature->domain.bytes, signature->domain.len};
    char name[DNS_NAME_MAX + 1];
    struct err err;

    if (signer.len == 0)
        signer = slice_range(identity, slice_find_byte(identity, '@') + 1, identity.len);
    if (dns_name_parse(signer, name, NULL, &err) != 0 || !strchr(name, '.') ||
        !dns_name_is_within(domain, slice_of(name)))
        return false;
    memcpy(ret_signer, name, sizeof(name));
    return true;
}

static void auth_head_read(struct auth_cursor *cursor, struct auth_text *ret_id)
{
    struct auth_text version;

    cfws_skip(cursor);
    auth_value_read(cursor, ret_id);
    cfws_skip(cursor);
    auth_value_read(cursor, &version);
    cfws_skip(cursor);
}

enum auth_word auth_results_judge(struct slice value, struct slice authserv_id, struct slice domain,
                                  char ret_signer[DNS_NAME_MAX + 1])
{
    struct auth_cursor cursor = {.rest = value};
    enum auth_word word = AUTH_SAYS_NOTHING;
    struct auth_signature signature;
    char signer[DNS_NAME_MAX + 1] = "";
    struct auth_text id;

    auth_head_read(&cursor, &id);
    if (!slice_eq_nocase((struct slice){id.bytes, id.len}, authserv_id))
        return AUTH_SAYS_NOTHING;
    while (!cursor.is_broken && auth_at(&cursor, ';')) {
        auth_skip(&cursor, 1);
        cfws_skip(&cursor);
        signature_read(&cursor, &signature);
        if (!signature.is_dkim || word == AUTH_SAYS_YES)
            continue;
        word = AUTH_SAYS_NO;
        if (signature.is_good && signature_covers(&signature, domain, signer))
            word = AUTH_SAYS_YES;
    }
    if (cursor.is_broken || cursor.rest.len > 0)
        return AUTH_SAYS_NO;
    if (word == AUTH_SAYS_YES)
        memcpy(ret_signer, signer, sizeof(signer));
    return word;
}
