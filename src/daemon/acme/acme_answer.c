/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* A JSON string's escapes of '"', '/' and '\\' are taken away; others stay, as they stand for what
 * no line for people holds. */
static void answer_copy_detail(struct acme_answer *answer, struct slice text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && len + 1 < sizeof(answer->detail); i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len && strchr("\"/\\", text.ptr[i + 1]))
            i++;
        answer->detail[len++] = text.ptr[i];
    }
    answer->detail[len] = '\0';
}

static bool slice_has(struct slice text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* What uacme prints beside the one line that says what has gone wrong. */
static bool words_are_noise(struct slice words)
{
    static const char *const noise[] = {"terms at ", "json_parse: ", "the server reported ",
                                        "curl_get: waiting", "curl_post: waiting"};

    for (size_t i = 0; i < ARRAY_LEN(noise); i++)
        if (slice_starts_with(words, noise[i]))
            return true;
    return false;
}

/* The first line says what has gone wrong, and those that follow what could not be done then;
 * but uacme tries a transfer that has failed again, and the last such line counts. */
static void answer_take_words(struct acme_answer *answer, struct slice words)
{
    static const char get[] = "curl_get: ", post[] = "curl_post: ";
    bool is_transfer = slice_starts_with(words, get) || slice_starts_with(words, post);

    if (words_are_noise(words))
        return;
    answer->has_account |= slice_starts_with(words, "Account already exists");
    answer->has_wrong_binding |= slice_starts_with(words, "this ACME server requires external");
    answer->has_wrong_directory |= slice_starts_with(words, "failed to fetch directory") ||
                                   slice_starts_with(words, "failed to find newNonce");
    answer->is_unreachable |= is_transfer || slice_starts_with(words, "failed to fetch new nonce");
    if (answer->is_obstructed)
        return;
    /* Of a file; what is sent is libcurl's. */
    answer->is_obstructed = slice_starts_with(words, "failed to write to /") ||
                            slice_starts_with(words, "failed to close /") ||
                            slice_starts_with(words, ACME_KEY_DAMAGED);
    if (answer->words[0] != '\0' && !is_transfer && !answer->is_obstructed)
        return;
    if (is_transfer)
        words = slice_range(words, slice_find_byte(words, ' ') + 1, words.len);
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
            answer_copy_detail(answer, value);
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

/* Its limits of one name, not of an account: "too many failed authorizations (5) for ...", "too
 * many certificates (5) already issued for ...". */
static bool answer_is_of_host(const struct acme_answer *answer)
{
    struct slice detail = slice_of(answer->detail);

    return slice_has(detail, "failed authorizations") || slice_has(detail, "already issued for");
}

int64_t acme_answer_retry_unix_s(const struct acme_answer *answer)
{
    static const char before[] = "retry after ";
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%SZ"};
    const char *at = strstr(answer->detail, before);

    for (size_t i = 0; at && i < ARRAY_LEN(formats); i++) {
        struct tm time = {0};

        if (strptime(at + strlen(before), formats[i], &time))
            return timegm(&time);
    }
    return 0;
}

/* What a person can do about an answer of the authority, to follow it. */
static const char *answer_advice(const struct acme_answer *answer)
{
    static const struct {
        const char *type, *advice;
    } rows[] = {
        {"connection", "; port 80 of this host has to be open to the whole Internet"},
        {"unauthorized", "; port 80 of this host has to lead to this daemon"},
        {"invalidContact", "; this is about acme.account_email"},
        {"unsupportedContact", "; this is about acme.account_email"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(answer->type, rows[i].type) == 0)
            return rows[i].advice;
    return "";
}

/* The same of libcurl's words. */
static const char *transfer_advice(const char *words)
{
    return slice_has(slice_of(words), "peer certificate")
               ? "; this system may not trust the authority's root, or its clock may be wrong"
               : "";
}

static void answer_explain(const struct acme_answer *answer, int status,
                           char ret_reason[static ACME_REASON_MAX])
{
    const char *type = answer->type, *detail = answer->detail, *words = answer->words;

    if (type[0] != '\0' || detail[0] != '\0')
        snprintf(ret_reason, ACME_REASON_MAX, "the certificate authority says %s%s%.850s%s", type,
                 type[0] == '\0' || detail[0] == '\0' ? "" : ": ", detail, answer_advice(answer));
    else if (answer->has_wrong_binding)
        snprintf(ret_reason, ACME_REASON_MAX,
                 "the certificate authority wants an external account binding; write what it gives "
                 "you for that into a file, and the file's path as acme.external_account_binding");
    else if (answer->is_unreachable)
        snprintf(ret_reason, ACME_REASON_MAX,
                 "the certificate authority cannot be reached: %.850s%s", words,
                 transfer_advice(words));
    else if (answer->has_wrong_directory)
        snprintf(ret_reason, ACME_REASON_MAX,
                 "the certificate authority is out of order, or acme.directory is not the URL of "
                 "its directory: %.800s",
                 words);
    else if (slice_has(slice_of(words), "https://"))
        snprintf(ret_reason, ACME_REASON_MAX,
                 "the certificate authority has sent no answer that can be used: %.900s", words);
    else
        snprintf(ret_reason, ACME_REASON_MAX, "uacme has ended with status %d%s%.900s", status,
                 words[0] == '\0' ? "" : ": ", words);
}

/* Of an order that has failed without a type of error in the authority's answer. */
static enum acme_outcome answer_judge_untyped(const struct acme_answer *answer)
{
    if (answer->has_wrong_binding)
        return ACME_NO_ACCOUNT;
    if (answer->is_unreachable || answer->has_wrong_directory)
        return ACME_UNREACHABLE;
    /* It was waiting for the authority, which may be waiting for this host. */
    if (slice_starts_with(slice_of(answer->words), "timeout while polling"))
        return ACME_HOST_FAILED;
    return slice_has(slice_of(answer->words), "https://") ? ACME_OUT_OF_ORDER : ACME_HOST_FAILED;
}

static enum acme_outcome answer_judge_limit(const struct acme_answer *answer)
{
    if (answer_is_of_pause(answer))
        return ACME_HOST_PAUSED;
    return answer_is_of_host(answer) ? ACME_HOST_LIMITED : ACME_LIMITED;
}

enum acme_outcome acme_answer_judge(const struct acme_answer *answer, int status,
                                    char ret_reason[static ACME_REASON_MAX])
{
    static const struct {
        const char *type;
        enum acme_outcome outcome;
    } outcomes[] = {{"accountDoesNotExist", ACME_NO_ACCOUNT},
                    {"userActionRequired", ACME_NO_ACCOUNT},
                    {"externalAccountRequired", ACME_NO_ACCOUNT},
                    {"badNonce", ACME_HOST_DISTURBED},
                    {"serverInternal", ACME_OUT_OF_ORDER}};

    if (status == 0 || answer->has_account)
        return ACME_ORDERED;
    if (answer->is_obstructed) {
        snprintf(ret_reason, ACME_REASON_MAX, "%s", answer->words);
        return ACME_OBSTRUCTED;
    }
    answer_explain(answer, status, ret_reason);
    if (answer->type[0] == '\0')
        return answer_judge_untyped(answer);
    if (strcmp(answer->type, "rateLimited") == 0)
        return answer_judge_limit(answer);
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        if (strcmp(answer->type, outcomes[i].type) == 0)
            return outcomes[i].outcome;
    return ACME_HOST_FAILED;
}
