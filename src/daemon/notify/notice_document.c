/* SPDX-License-Identifier: MIT */
#include "daemon/notify/notice_document.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"

/* What is said of a condition that has ended, around its code. */
static const struct notice_words {
    const char *before, *after;
} ended_words[CONDITION_KIND_COUNT] = {
    [CONDITION_RELOAD] = {"Reloads are accepted again; the cause was ", "."},
    [CONDITION_DNS] = {"Live DNS and what is served agree again; the difference was ", "."},
    [CONDITION_CERTIFICATE] = {"The certificate is in order again; what was wrong was ", "."},
    [CONDITION_CHECK] = {"The last check did not find the error ", " any more."},
    [CONDITION_VERDICT] = {"The verdict is not ", " any more."},
    [CONDITION_REMOVAL] = {"The domain is not to be removed any more: senders hold its policy, or "
                           "it is in use again (",
                           ")."},
};

const char *notice_event_word(enum notice_event event)
{
    static const char *const words[NOTICE_EVENT_COUNT] = {[NOTICE_BEGAN] = "began",
                                                          [NOTICE_ENDED] = "ended",
                                                          [NOTICE_DIGEST] = "digest",
                                                          [NOTICE_TEST] = "test"};

    return words[event];
}

/* Whole characters, so that the cut leaves no half one. */
static void document_put_member(struct json_writer *writer, const char *key, struct slice text)
{
    size_t len = text.len;

    if (len > NOTICE_TEXT_MAX) {
        len = NOTICE_TEXT_MAX;
        while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
            len--;
    }
    json_key(writer, key);
    json_slice(writer, slice_range(text, 0, len));
}

static void document_put_text(struct json_writer *writer, const struct notice *notice)
{
    const struct notice_words *words = &ended_words[notice->condition.kind];
    struct slice code = notice->condition.code;
    char *text;

    if (notice->until_unix_s == 0) {
        document_put_member(writer, "text", notice->condition.text);
        return;
    }
    if (asprintf(&text, "%s%.*s%s", words->before, SLICE_ARG(code), words->after) < 0)
        memory_fail();
    json_text_member(writer, "text", text);
    free(text);
}

static void document_put_notice(struct json_writer *writer, const struct notice *notice)
{
    const struct condition *condition = &notice->condition;

    json_begin_object(writer, JSON_ON_LINES);
    json_text_member(writer, "event", notice_event_word(notice->event));
    json_text_member(writer, "kind",
                     notice->event == NOTICE_TEST ? "test" : condition_kind_word(condition->kind));
    document_put_member(writer, "code", condition->code);
    json_key(writer, "domain");
    if (condition->domain.len > 0)
        json_slice(writer, condition->domain);
    else
        json_text(writer, NULL);
    json_number_member(writer, "since", (uint64_t)notice->since_unix_s);
    if (notice->until_unix_s != 0)
        json_number_member(writer, "until", (uint64_t)notice->until_unix_s);
    document_put_text(writer, notice);
    document_put_member(writer, "advice",
                        notice->until_unix_s == 0 ? condition->advice : slice_of(""));
    json_end_object(writer);
}

static void summary_count(size_t n, const char *verb, const char **comma, FILE *out)
{
    if (n == 0)
        return;
    fprintf(out, "%s%zu %s %s", *comma, n, n == 1 ? "condition" : "conditions", verb);
    *comma = ", ";
}

/* A subject of a mail: the host's name is the machine's own, but nothing else is kept of it. */
static void summary_print_host(const char *host, FILE *out)
{
    for (; *host != '\0'; host++)
        putc(isalnum((unsigned char)*host) || strchr("-._", *host) ? *host : '?', out);
}

static void summary_print(const struct notice_document *document, FILE *out)
{
    size_t n_events[NOTICE_EVENT_COUNT] = {0};
    const struct notice_digest *digest = document->digest;
    const char *comma = " ";

    for (size_t i = 0; i < document->n_notices; i++)
        n_events[document->notices[i].event]++;
    fputs("mta-stsd on ", out);
    summary_print_host(document->host, out);
    putc(':', out);
    if (digest) {
        fprintf(out, " digest: %zu open, %zu began, %zu ended", digest->n_open, digest->n_began,
                digest->n_ended);
        return;
    }
    summary_count(n_events[NOTICE_BEGAN], "began", &comma, out);
    summary_count(n_events[NOTICE_ENDED], "ended", &comma, out);
    if (n_events[NOTICE_TEST] > 0)
        fputs(" a test", out);
}

static void document_put_summary(struct json_writer *writer, const struct notice_document *document)
{
    char *summary = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&summary, &len);

    if (!out)
        memory_fail();
    summary_print(document, out);
    if (fclose(out) != 0)
        memory_fail();
    json_text_member(writer, "summary", summary);
    free(summary);
}

static void document_put_digest(struct json_writer *writer, const struct notice_digest *digest)
{
    json_key(writer, "digest");
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_number_member(writer, "since", (uint64_t)digest->since_unix_s);
    json_number_member(writer, "open", digest->n_open);
    json_number_member(writer, "began", digest->n_began);
    json_number_member(writer, "ended", digest->n_ended);
    json_end_object(writer);
}

void notice_document_print(const struct notice_document *document, FILE *out)
{
    size_t n = document->n_notices < NOTICE_DOCUMENT_MAX ? document->n_notices
                                                         : (size_t)NOTICE_DOCUMENT_MAX;
    struct json_writer writer = {.out = out, .indent = 2};

    json_begin_object(&writer, JSON_ON_LINES);
    json_number_member(&writer, "version", NOTICE_DOCUMENT_VERSION);
    json_text_member(&writer, "host", document->host);
    json_number_member(&writer, "time", (uint64_t)document->now_unix_s);
    document_put_summary(&writer, document);
    if (document->digest)
        document_put_digest(&writer, document->digest);
    json_key(&writer, "notices");
    json_begin_array(&writer, JSON_ON_LINES);
    for (size_t i = 0; i < n; i++)
        document_put_notice(&writer, &document->notices[i]);
    json_end_array(&writer);
    json_number_member(&writer, "left_out", document->n_notices - n);
    json_end_object(&writer);
    putc('\n', out);
}
