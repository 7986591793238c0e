/* SPDX-License-Identifier: MIT */
/*
 * RFC 8461 3.2 (names shortened, "sts-policy-" left out):
 *
 * record         = field *WSP *(term field *WSP) [term]
 * field          = version / mode / max-age    ; each required once
 *                / mx                          ; required at least once unless the mode is none
 *                / extension
 * version        = %s"version" field-delim %s"STSv1"
 * mode           = %s"mode" field-delim ( %s"testing" / %s"enforce" / %s"none" )
 * mx             = %s"mx" field-delim mx-value
 * mx-value       = ["*."] Domain               ; RFC 5321 4.1.2
 * max-age        = %s"max_age" field-delim max-age-value
 * max-age-value  = 1*10(DIGIT)                 ; at most 31557600 by the text
 * extension      = ext-name field-delim ext-value
 * ext-name       = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
 * ext-value      = vchar [*(%x20 / vchar) vchar]
 * vchar          = %x21-7E / UTF8-2 / UTF8-3 / UTF8-4
 * field-delim    = ":" *WSP
 * term           = LF / CRLF
 *
 * A known name with a value outside its own production is an error, not an extension. Of fields
 * other than mx only the first counts; the value of a later one is not looked at.
 */
#include "lib/policy/parse.h"

#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/lookalike.h"
#include "lib/base/slice.h"
#include "lib/base/suggest.h"
#include "lib/base/utf8.h"
#include "lib/policy/mx.h"
#include "lib/policy/policy.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum policy_field {
    FIELD_VERSION,
    FIELD_MODE,
    FIELD_MAX_AGE,
    FIELD_MX,
    FIELD_COUNT,
};

enum {
    EXT_NAME_MAX = 32,
    MAX_AGE_DIGITS_MAX = 10,
};

/* The lines of a body, one after the other. */
struct lines {
    struct slice rest; /* what follows the current line */
    struct slice line; /* the current one, without its term */
    uint32_t number;   /* of the current line, from 1; 0 before the first */
};

struct parser {
    struct slice body;
    struct lines lines;
    bool seen[FIELD_COUNT];
    struct policy policy; /* without its mx[] */
    struct err *err;
};

/* Moves to the next line; false at the end. A CR without LF ends no line and fits in no field. */
static bool next_line(struct lines *lines)
{
    size_t len = slice_find_byte(lines->rest, '\n');
    bool has_term = len < lines->rest.len;

    if (lines->rest.len == 0)
        return false;
    lines->line = slice_range(lines->rest, 0, len);
    if (has_term && slice_ends_with(lines->line, "\r"))
        lines->line.len--;
    lines->rest = slice_range(lines->rest, len + 1, lines->rest.len);
    lines->number++;
    return true;
}

static struct slice field_name(struct slice line)
{
    return slice_range(line, 0, slice_find_byte(line, ':'));
}

/* Without the *WSP on either side. */
static struct slice field_value(struct slice line)
{
    return slice_trim(slice_range(line, slice_find_byte(line, ':') + 1, line.len));
}

/* Where in the body `part` of the current line begins. */
static struct place place_of(const struct lines *lines, struct slice part)
{
    return (struct place){.line = lines->number,
                          .column = (uint32_t)(part.ptr - lines->line.ptr) + 1};
}

/* "mode 'ENFORCE' is not ...", at `found`, which is a part of the current line. */
static int policy_fault(struct parser *parser, const char *what, struct slice found,
                        const char *why)
{
    char quoted[ERR_QUOTE_MAX];

    const char *lookalike =
        slice_starts_with(found, BYTE_ORDER_MARK) ? NULL : lookalike_find(found, NULL);

    return err_at(parser->err, place_of(&parser->lines, found), ERR_SYNTAX, "%s %s %s%s%s%s", what,
                  err_quote(quoted, sizeof(quoted), found), why, lookalike ? "; it has " : "",
                  lookalike ? lookalike : "", lookalike ? " in it" : "");
}

static int parse_version_value(struct parser *parser, struct slice value)
{
    if (!slice_eq_text(value, "STSv1"))
        return policy_fault(parser, "version", value, "is not 'STSv1'");
    return 0;
}

static int parse_mode_value(struct parser *parser, struct slice value)
{
    parser->policy.mode = policy_mode_find(value);
    if (parser->policy.mode == POLICY_MODE_COUNT)
        return policy_fault(parser, "mode", value,
                            "is not testing, enforce or none, in lower case");
    return 0;
}

static int parse_max_age_value(struct parser *parser, struct slice value)
{
    uint64_t max_age_s;

    if (value.len > MAX_AGE_DIGITS_MAX || slice_to_u64(value, UINT64_MAX, &max_age_s) != 0)
        return policy_fault(parser, "max_age", value,
                            "is not a number of seconds in 1 to 10 digits");
    if (max_age_s > POLICY_MAX_AGE_MAX)
        return policy_fault(parser, "max_age", value, "is above 31557600 s");
    parser->policy.max_age_s = (uint32_t)max_age_s;
    return 0;
}

static int parse_mx_value(struct parser *parser, struct slice value)
{
    const char *why = mx_pattern_fault(value);

    if (why)
        return policy_fault(parser, "mx", value, why);
    parser->policy.n_mx++;
    return 0;
}

static const struct {
    const char *name;
    int (*parse_value)(struct parser *parser, struct slice value);
} fields[FIELD_COUNT] = {
    [FIELD_VERSION] = {"version", parse_version_value},
    [FIELD_MODE] = {"mode", parse_mode_value},
    [FIELD_MAX_AGE] = {"max_age", parse_max_age_value},
    [FIELD_MX] = {"mx", parse_mx_value},
};

static enum policy_field policy_field_find(struct slice name)
{
    enum policy_field field = 0;

    while (field < FIELD_COUNT && !slice_eq_text(name, fields[field].name))
        field++;
    return field;
}

static bool is_ext_name(struct slice name)
{
    if (name.len == 0 || name.len > EXT_NAME_MAX || !ascii_is_alnum(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char byte = name.ptr[i];

        if (!ascii_is_alnum(byte) && byte != '_' && byte != '-' && byte != '.')
            return false;
    }
    return true;
}

/* Of a value that is trimmed and UTF-8, so that only emptiness and controls are left to see. */
static bool is_ext_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];

        if (byte < 0x20 || byte == 0x7f)
            return false;
    }
    return value.len > 0;
}

/*
 * Whether a line above has this name too, `name` being the beginning of the current line. Asked
 * only of a bad value, and every line above did begin with a name and ":", so one search will do
 * and nothing has to be remembered of names that a stranger may heap up.
 */
static bool is_repeated(const struct parser *parser, struct slice name)
{
    size_t before = (size_t)(name.ptr - parser->body.ptr);

    if (before == 0)
        return false;
    return memcmp(parser->body.ptr, name.ptr, name.len + 1) == 0 ||
           memmem(parser->body.ptr, before, name.ptr - 1, name.len + 2);
}

static int parse_extension(struct parser *parser, struct slice name, struct slice value)
{
    if (slice_starts_with(name, BYTE_ORDER_MARK))
        return policy_fault(parser, "field name", name, "begins with a byte order mark");
    if (!is_ext_name(name))
        return policy_fault(
            parser, "field name", name,
            "is not a letter or digit and up to 31 letters, digits, '_', '-' or '.'");
    if (!is_ext_value(value) && !is_repeated(parser, name))
        return policy_fault(parser, "value", value,
                            "of an extension is empty or has a control character");
    return 0;
}

static int parse_field(struct parser *parser)
{
    struct slice line = parser->lines.line;
    struct slice name = field_name(line), value = field_value(line);
    enum policy_field field = policy_field_find(name);

    if (line.len == 0)
        return policy_fault(parser, "line", line, "is empty, which is not allowed in a policy");
    if (name.len == line.len)
        return policy_fault(parser, "line", line, "has no ':' after a field name");
    if (field == FIELD_COUNT)
        return parse_extension(parser, name, value);
    if (parser->seen[field] && field != FIELD_MX)
        return 0;
    parser->seen[field] = true;
    return fields[field].parse_value(parser, value);
}

/* What the whole body is that is no policy, as a message; NULL: nothing that is known. */
static const char *body_mistake(struct slice body)
{
    static const struct {
        const char *begin;
        const char *what;
    } rows[] = {
        {"\xff\xfe", "the policy is UTF-16; save it as UTF-8 or plain ASCII"},
        {"\xfe\xff", "the policy is UTF-16; save it as UTF-8 or plain ASCII"},
        {"<", "this is a web page, not a policy; look at what the web server serves at "
              "/.well-known/mta-sts.txt"},
        {"HTTP/", "this begins with the head of an HTTP answer; give the body alone"},
        {"v=STSv1", "this is the TXT record of _mta-sts, not a policy"},
        {"v=TLSRPTv1", "this is the TXT record of _smtp._tls, not a policy"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_starts_with(body, rows[i].begin))
            return rows[i].what;
    if (slice_find_byte(body, '\n') < body.len || !slice_starts_with(body, "version"))
        return NULL;
    if (slice_find_byte(body, '\r') + 1 < body.len)
        return "the lines end in CR alone; end each in LF or CRLF";
    if (memmem(body.ptr, body.len, "mode:", 5) || memmem(body.ptr, body.len, "max_age:", 8))
        return "all fields are on one line; write each on a line of its own";
    return NULL;
}

static int check_utf8(struct parser *parser)
{
    struct slice rest = parser->lines.line;
    size_t len;

    while ((len = utf8_char_len(rest)) > 0)
        rest = slice_range(rest, len, rest.len);
    if (rest.len > 0)
        return policy_fault(parser, "byte", slice_range(rest, 0, 1), "is not UTF-8");
    return 0;
}

/* "nmx", "MX", "mx1": two letters are too few for suggest_word(). */
static bool is_like_mx(struct slice name)
{
    for (size_t i = 0; name.len <= 4 && i + 1 < name.len; i++)
        if (slice_eq_nocase(slice_range(name, i, i + 2), slice_of("mx")))
            return true;
    return false;
}

static bool is_near(struct slice name, enum policy_field field)
{
    if (field == FIELD_MX)
        return is_like_mx(name);
    return suggest_word(name, &fields[field].name, 1) != NULL;
}

/* Points at the extension that was meant to be `field`, if there is one: "max-age", "Mode". */
static int policy_fault_missing(struct parser *parser, enum policy_field field)
{
    const char *name = fields[field].name;
    struct lines lines = {.rest = parser->body};
    char quoted[ERR_QUOTE_MAX];

    while (next_line(&lines)) {
        struct slice found = field_name(lines.line);

        if (is_near(found, field))
            return err_at(parser->err, place_of(&lines, found), ERR_SYNTAX,
                          "field name %s is not '%s', which is missing",
                          err_quote(quoted, sizeof(quoted), found), name);
    }
    return err_set(parser->err, ERR_SYNTAX, "field '%s' is missing", name);
}

static int check_required(struct parser *parser)
{
    for (enum policy_field field = 0; field < FIELD_COUNT; field++) {
        if (field == FIELD_MX && parser->policy.mode == POLICY_MODE_NONE)
            continue;
        if (!parser->seen[field])
            return policy_fault_missing(parser, field);
    }
    return 0;
}

static int parse_record(struct parser *parser)
{
    const char *mistake = body_mistake(parser->body);

    if (parser->body.len == 0)
        return err_set(parser->err, ERR_SYNTAX, "the policy is empty");
    while (next_line(&parser->lines))
        if (check_utf8(parser) != 0 || parse_field(parser) != 0)
            return mistake ? err_set(parser->err, ERR_SYNTAX, "%s", mistake) : -1;
    return check_required(parser);
}

/* NULL if the arena's cap would be passed. */
static const struct slice *copy_mx(struct slice body, size_t n_mx, struct arena *arena)
{
    struct lines lines = {.rest = body};
    struct slice *mx = arena_array(arena, n_mx, sizeof(*mx));
    size_t i = 0;

    while (mx && next_line(&lines)) {
        struct slice value = field_value(lines.line);

        if (policy_field_find(field_name(lines.line)) != FIELD_MX)
            continue;
        mx[i] = (struct slice){arena_copy(arena, value), value.len};
        if (!mx[i++].ptr)
            return NULL;
    }
    return mx;
}

int policy_parse(struct slice body, struct arena *arena, struct policy *ret_policy, struct err *err)
{
    struct parser parser = {.body = body, .lines = {.rest = body}, .err = err};

    if (body.len > POLICY_FETCH_MAX)
        return err_set(err, ERR_LIMIT, "the policy is %zu bytes, above %d bytes", body.len,
                       POLICY_FETCH_MAX);
    if (parse_record(&parser) != 0)
        return -1;
    parser.policy.mx = copy_mx(body, parser.policy.n_mx, arena);
    if (!parser.policy.mx)
        return err_set(err, ERR_LIMIT, "%zu mx need more memory than is allowed",
                       parser.policy.n_mx);
    *ret_policy = parser.policy;
    return 0;
}

int policy_next_near_miss(struct policy_near_miss *miss)
{
    struct lines lines = {.rest = miss->rest, .number = miss->line};

    while (next_line(&lines)) {
        struct slice name = field_name(lines.line);

        if (policy_field_find(name) != FIELD_COUNT)
            continue;
        for (enum policy_field field = 0; field < FIELD_COUNT; field++) {
            if (!is_near(name, field))
                continue;
            *miss = (struct policy_near_miss){name, fields[field].name, lines.number, lines.rest};
            return 1;
        }
    }
    return 0;
}
