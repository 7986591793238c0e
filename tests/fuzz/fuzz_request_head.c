/* SPDX-License-Identifier: MIT */
/*
 * A request head from a stranger. The input is looked at as it is, and it also chooses, byte by
 * byte, a head that RFC 9112 allows, which is never refused, and then one way to spoil it, which
 * always is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker/request_head.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"

#include "require.h"

enum {
    FIELDS_MAX = 8,
};

/* What the input still has to choose with; an empty one chooses 0. */
struct choices {
    const uint8_t *bytes;
    size_t n_bytes;
};

/* What a made head says of itself. */
struct made {
    bool is_http_1_0;
    bool has_host, has_length, has_encoding;
};

static void require_of(bool good, const char *what, struct slice head)
{
    if (!good)
        fprintf(stderr, "%.*s\n", SLICE_ARG(head));
    require(good, what);
}

static unsigned choose(struct choices *choices, unsigned n)
{
    if (choices->n_bytes == 0)
        return 0;
    choices->n_bytes--;
    return *choices->bytes++ % n;
}

/* RFC 9110 5.5: visible characters, obs-text, and spaces and tabs between them. */
static void make_value(struct choices *choices, FILE *out)
{
    for (unsigned n = choose(choices, 40); n > 0; n--) {
        int byte = (int)choose(choices, 256);

        fputc((byte < ' ' && byte != '\t') || byte == 0x7f ? 'x' : byte, out);
    }
}

static void make_name(struct choices *choices, const char *name, FILE *out)
{
    for (; *name; name++) {
        bool is_upper = *name != '-' && choose(choices, 2) == 1;

        fputc(is_upper ? *name - 'a' + 'A' : *name, out);
    }
}

static void make_field(struct choices *choices, const char *name, const char *value, FILE *out)
{
    static const char *const spaces[] = {"", " ", "\t", " \t "};

    make_name(choices, name, out);
    fprintf(out, ":%s%s%s\r\n", spaces[choose(choices, 4)], value, spaces[choose(choices, 4)]);
}

static void make_other_field(struct choices *choices, FILE *out)
{
    static const char *const names[] = {"a",       "accept",         "hosts", "x-host",
                                        "trailer", "content-type",   "te",    "ho-st",
                                        "range",   "content-length-"};

    make_name(choices, names[choose(choices, ARRAY_LEN(names))], out);
    fputc(':', out);
    make_value(choices, out);
    fputs("\r\n", out);
}

/* The field that says how long the body is, or a second of the same length. */
static void make_length(struct choices *choices, struct made *made, FILE *out)
{
    char length[16];

    switch (choose(choices, 4)) {
    case 0:
        return;
    case 1:
        if (made->is_http_1_0)
            return;
        made->has_encoding = true;
        make_field(choices, "transfer-encoding", "chunked", out);
        return;
    default:
        made->has_length = true;
        snprintf(length, sizeof(length), "%u", choose(choices, 256));
        for (unsigned n = 1 + choose(choices, 2); n > 0; n--)
            make_field(choices, "content-length", length, out);
    }
}

static void make_fields(struct choices *choices, struct made *made, FILE *out)
{
    unsigned n_before = choose(choices, FIELDS_MAX);

    for (unsigned i = 0; i < n_before; i++)
        make_other_field(choices, out);
    made->has_host = !made->is_http_1_0 || choose(choices, 2) == 1;
    if (made->has_host)
        make_field(choices, "host", "mta-sts.example.com", out);
    make_length(choices, made, out);
    for (unsigned n = choose(choices, FIELDS_MAX); n > 0; n--)
        make_other_field(choices, out);
}

/* A field more, or something in place of one, that no proxy and no server read alike. */
static const char *choose_spoiler(struct choices *choices, const struct made *made)
{
    static const char *const always[] = {
        " folded\r\n",           "\t\r\n", "a: b\n", "\n", "a: b\rc\r\n", "a: b\r\r\n",
        "host: a\r\nhost: b\r\n"};

    switch (choose(choices, 4)) {
    case 0:
        if (made->has_host)
            return "Host: mta-sts.example.com\r\n";
        break;
    case 1:
        if (made->has_length)
            return "Content-Length: 256\r\n";
        break;
    case 2:
        if (made->has_length || made->has_encoding || made->is_http_1_0)
            return "Transfer-Encoding: chunked\r\n";
        break;
    default:
        break;
    }
    return always[choose(choices, ARRAY_LEN(always))];
}

static const char *fault_of(const char *bytes, size_t len)
{
    return request_head_fault((struct slice){bytes, len});
}

static void check_made(struct choices choices)
{
    struct made made = {.is_http_1_0 = choose(&choices, 4) == 0};
    char *head = NULL;
    size_t len, fields_end;
    FILE *out = open_memstream(&head, &len);
    const char *spoiler;

    if (choose(&choices, 4) == 0)
        fputs("\r\n", out);
    fprintf(out, "GET /.well-known/mta-sts.txt HTTP/1.%d\r\n", made.is_http_1_0 ? 0 : 1);
    make_fields(&choices, &made, out);
    fflush(out);
    fields_end = len;
    fputs("\r\n", out);
    fflush(out);
    require_of(!fault_of(head, len), "what the grammar allows is taken", (struct slice){head, len});
    fwrite(choices.bytes, 1, choices.n_bytes, out);
    fflush(out);
    require_of(!fault_of(head, len), "what follows the head is not looked at",
               (struct slice){head, len});

    spoiler = choose_spoiler(&choices, &made);
    fseek(out, (long)fields_end, SEEK_SET);
    fprintf(out, "%s\r\n", spoiler);
    fclose(out);
    require_of(fault_of(head, fields_end + strlen(spoiler) + 2),
               "what two servers read apart is not", (struct slice){head, len});
    free(head);
}

/* Makes field names lower case in place, as h2o does before anybody looks. */
static void lower_names(char *bytes, size_t len)
{
    bool is_name = false;
    size_t start = slice_starts_with((struct slice){bytes, len}, "\r\n") ? 2 : 0;

    for (size_t i = start; i < len; i++) {
        if (bytes[i] == '\n')
            is_name = true;
        else if (bytes[i] == ':')
            is_name = false;
        else if (is_name)
            bytes[i] = ascii_to_lower(bytes[i]);
    }
}

static void check_case(const uint8_t *data, size_t size)
{
    char *copy = memory_alloc(size + (size == 0));
    const char *fault;

    for (size_t i = 0; i < size; i++)
        copy[i] = (char)data[i];
    fault = fault_of(copy, size);
    require_of(!fault || slice_ends_with(slice_of(fault), "\n"), "a fault is a line",
               (struct slice){copy, size});
    lower_names(copy, size);
    require_of(fault == fault_of(copy, size), "case makes no difference",
               (struct slice){copy, size});
    free(copy);
}

static void check_target(const uint8_t *data, size_t size)
{
    struct slice target = {(const char *)data, size}, authority, path;

    request_target_split(target, &authority, &path);
    require_of(authority.len + path.len <= size, "the parts are the target's", target);
    require_of(path.len == 0 || path.ptr[0] == '/', "a path begins with a slash", target);
    require_of(slice_find_byte(path, '?') == path.len, "a path has no query", target);
    require_of(slice_find_byte(authority, '/') == authority.len, "an authority has no slash",
               target);
    require_of(authority.len == 0 || slice_starts_with(target, "http"), "origin-form names no host",
               target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_made((struct choices){data, size});
    check_case(data, size);
    check_target(data, size);
    return 0;
}
