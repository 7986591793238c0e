/* SPDX-License-Identifier: MIT */
#include "lib/state/fetch_sender.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "lib/base/slice.h"

struct sender_row {
    const char *word, *name;
    const char *agents[4]; /* how the User-Agent begins, whatever the case; NULL ends them */
};

static const struct sender_row rows[FETCH_SENDER_COUNT] = {
    [FETCH_SENDER_GOOGLE] = {"google", "Google", {"Google-SMTP-STS"}},
    [FETCH_SENDER_PMSR] = {"postfix-mta-sts-resolver",
                           "postfix-mta-sts-resolver",
                           {"postfix-mta-sts-resolver"}},
    [FETCH_SENDER_TLSPOL] = {"postfix-tlspol", "postfix-tlspol", {"postfix-tlspol"}},
    [FETCH_SENDER_STALWART] = {"stalwart", "Stalwart", {"Stalwart"}},
    [FETCH_SENDER_MIMECAST] = {"mimecast", "Mimecast", {"Mimecast"}},
    [FETCH_SENDER_GO] = {"go", "a sender in Go (mox, chasquid, maddy)", {"Go-http-client"}},
    [FETCH_SENDER_JAVA] = {"java", "a sender in Java", {"Java/", "okhttp", "Apache-HttpClient"}},
    [FETCH_SENDER_LIBWWW] = {"libwww-perl", "a sender in Perl", {"libwww-perl"}},
    [FETCH_SENDER_CHECKER] = {"checker",
                              "a browser or a checker",
                              {"mta-stsd-check", "curl/", "Mozilla/"}},
    [FETCH_SENDER_NONE] = {"none", "senders without a User-Agent", {NULL}},
    [FETCH_SENDER_OTHER] = {"other", "others", {NULL}},
};

static bool row_has_agent(const struct sender_row *row, struct slice agent)
{
    for (size_t i = 0; i < ARRAY_LEN(row->agents) && row->agents[i]; i++) {
        size_t len = strlen(row->agents[i]);

        if (agent.len >= len && strncasecmp(agent.ptr, row->agents[i], len) == 0)
            return true;
    }
    return false;
}

enum fetch_sender fetch_sender_of(struct slice agent)
{
    if (agent.len == 0)
        return FETCH_SENDER_NONE;
    for (enum fetch_sender sender = 0; sender < FETCH_SENDER_NONE; sender++)
        if (row_has_agent(&rows[sender], agent))
            return sender;
    return FETCH_SENDER_OTHER;
}

const char *fetch_sender_word(enum fetch_sender sender)
{
    return rows[sender].word;
}

enum fetch_sender fetch_sender_find(struct slice word)
{
    enum fetch_sender sender = 0;

    while (sender < FETCH_SENDER_COUNT && !slice_eq(word, slice_of(rows[sender].word)))
        sender++;
    return sender;
}

const char *fetch_sender_name(enum fetch_sender sender)
{
    return rows[sender].name;
}
