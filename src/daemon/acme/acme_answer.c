/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_answer.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/slice.h"

#define ACME_TYPE_PREFIX "urn:ietf:params:acme:error:"
#define UACME_PREFIX "uacme: "
#define HOOK_PREFIX "mta-stsd-acme-hook: "

static void answer_copy(char *to, size_t size, struct slice text)
{
    snprintf(to, size, "%.*s", SLICE_ARG(text));
}

/* The text value of a member that stands alone in its line: `    "type": "...",`. Escapes stay. */
static bool answer_member(struct slice line, const char *name, struct slice *ret_value)
{
    size_t end;

    line = slice_trim(line);
    if (!slice_starts_with(line, name))
        return false;
    line = slice_trim(slice_range(line, strlen(name), line.len));
    if (slice_ends_with(line, ","))
        line.len--;
    end = line.len;
    if (end < 2 || line.ptr[0] != '"' || line.ptr[end - 1] != '"')
        return false;
    *ret_value = slice_range(line, 1, end - 1);
    return true;
}

static bool slice_has(struct slice text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void answer_take_words(struct acme_answer *answer, struct slice words)
{
    answer->has_account |= slice_starts_with(words, "Account already exists");
    answer->is_unreachable |= slice_starts_with(words, "failed to fetch directory") ||
                              slice_has(words, "curl_get failed") ||
                              slice_has(words, "curl_post failed");
    if (answer->is_obstructed)
        return;
    /* Of a file; what is sent is libcurl's. */
    answer->is_obstructed = slice_starts_with(words, "failed to write to /") ||
                            slice_starts_with(words, "failed to close /");
    answer_copy(answer->words, sizeof(answer->words), words);
}

/* A document within the document, about one of several names, comes after the outer one's type. */
void acme_answer_take(struct acme_answer *answer, const char *line)
{
    struct slice text = slice_of(line), value;

    if (answer_member(text, "\"type\":", &value)) {
        if (answer->type[0] == '\0' && slice_starts_with(value, ACME_TYPE_PREFIX))
            answer_copy(answer->type, sizeof(answer->type),
                        slice_range(value, strlen(ACME_TYPE_PREFIX), value.len));
    } else if (answer_member(text, "\"detail\":", &value)) {
        if (answer->detail[0] == '\0')
            answer_copy(answer->detail, sizeof(answer->detail), value);
    } else if (slice_starts_with(text, UACME_PREFIX)) {
        answer_take_words(answer, slice_range(text, strlen(UACME_PREFIX), text.len));
    } else if (slice_starts_with(text, HOOK_PREFIX) && slice_has(text, "' cannot be ")) {
        answer->is_obstructed = true;
        answer_copy(answer->words, sizeof(answer->words), text);
    }
}

/* Let's Encrypt pauses a name that has failed for weeks, and says so as a limit of its rate. */
static bool answer_is_of_pause(const struct acme_answer *answer)
{
    return slice_has(slice_of(answer->detail), "unpause");
}

enum acme_outcome acme_answer_judge(const struct acme_answer *answer, int status,
                                    char ret_reason[static ACME_REASON_MAX])
{
    const char *type = answer->type, *detail = answer->detail;

    if (status == 0 || answer->has_account)
        return ACME_ORDERED;
    if (answer->is_obstructed) {
        snprintf(ret_reason, ACME_REASON_MAX, "%s", answer->words);
        return ACME_OBSTRUCTED;
    }
    if (type[0] == '\0' && detail[0] == '\0')
        snprintf(ret_reason, ACME_REASON_MAX, "uacme has ended with status %d%s%.900s", status,
                 answer->words[0] == '\0' ? "" : ": ", answer->words);
    else
        snprintf(ret_reason, ACME_REASON_MAX, "the certificate authority says %s%s%.900s", type,
                 type[0] == '\0' ? "" : ": ", detail);
    if (strcmp(type, "rateLimited") == 0)
        return answer_is_of_pause(answer) ? ACME_HOST_PAUSED : ACME_LIMITED;
    if (strcmp(type, "accountDoesNotExist") == 0 || strcmp(type, "userActionRequired") == 0 ||
        strcmp(type, "externalAccountRequired") == 0)
        return ACME_NO_ACCOUNT;
    if (strcmp(type, "badNonce") == 0)
        return ACME_HOST_DISTURBED;
    if (strcmp(type, "serverInternal") == 0 || (type[0] == '\0' && answer->is_unreachable))
        return ACME_UNREACHABLE;
    return ACME_HOST_FAILED;
}
