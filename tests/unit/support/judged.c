/* SPDX-License-Identifier: MIT */
#include "support/judged.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/findings.h"

const struct dns_answer *judged_none(struct judged_answer *made, enum dns_status status,
                                     const char *canonical)
{
    const char *why = status == DNS_BOGUS || status == DNS_FAILED ? "the reason" : "";

    *made =
        (struct judged_answer){.answer = {.status = status, .canonical = canonical, .why = why}};
    return &made->answer;
}

static size_t make_name(const char *name, char *out)
{
    size_t len = 0;

    while (*name && strcmp(name, ".") != 0) {
        size_t label = strcspn(name, ".");

        out[len++] = (char)label;
        memcpy(out + len, name, label);
        len += label;
        name += label + (name[label] == '.');
    }
    out[len++] = 0;
    return len;
}

static size_t make_rdata(enum dns_type type, const char *record, char *out)
{
    char *host;
    unsigned long preference;

    switch (type) {
    case DNS_TYPE_TXT:
        out[0] = (char)strlen(record);
        memcpy(out + 1, record, strlen(record));
        return strlen(record) + 1;
    case DNS_TYPE_MX:
        preference = strtoul(record, &host, 10);
        out[0] = (char)(preference >> 8);
        out[1] = (char)preference;
        return 2 + make_name(host + 1, out + 2);
    case DNS_TYPE_A:
        return inet_pton(AF_INET, record, out) == 1 ? 4 : 0;
    case DNS_TYPE_AAAA:
        return inet_pton(AF_INET6, record, out) == 1 ? 16 : 0;
    default:
        abort();
    }
}

const struct dns_answer *judged_records(struct judged_answer *made, enum dns_type type,
                                        const char *const *records)
{
    struct dns_answer *answer = &made->answer;

    *made = (struct judged_answer){.answer = {.status = DNS_OK, .canonical = "", .why = ""}};
    for (; *records; records++) {
        char *bytes = made->bytes[answer->n_rdata];

        made->rdata[answer->n_rdata++] = (struct slice){bytes, make_rdata(type, *records, bytes)};
    }
    answer->rdata = made->rdata;
    return answer;
}

const char *judged_text(const struct findings *findings, char buffer[static JUDGED_TEXT_SIZE])
{
    size_t len = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < findings_count(findings); i++) {
        const struct seen_finding *seen = findings_at(findings, i);

        len += (size_t)snprintf(buffer + len, JUDGED_TEXT_SIZE - len, "%s %s: %s\n",
                                check_row_of(seen->finding)->code,
                                seen->subject ? seen->subject : "-", seen->text);
        if (len >= JUDGED_TEXT_SIZE)
            abort();
    }
    return buffer;
}
