/* SPDX-License-Identifier: MIT */
/*
 * A stranger's mail: no part is longer than the mail, and a proven origin is a domain that a
 * signature names. Nothing is proven when nobody is believed, when the believed server says no
 * above the stranger's fields, or of a mail within a mail; each way of reading gives as many parts.
 * An mbox gives no more bytes than it has.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"
#include "reports/auth_results.h"
#include "reports/report_mail.h"
#include "reports/report_mbox.h"
#include "reports/report_part.h"

#include "require.h"

#define SERVER "mx.example.com"
#define SERVER_SAYS_NO "Authentication-Results: " SERVER "; dkim=none\nX-Next: field\n"
#define MAIL_IN_MAIL                                                                        \
    "Authentication-Results: " SERVER "; dkim=pass header.d=a.example\nFrom: b@a.example\n" \
    "Content-Type: message/rfc822\n\n"

struct mail_seen {
    size_t size_max;
    size_t n_parts, n_verified;
};

static void require_stored_form(struct slice domain)
{
    char name[DNS_NAME_MAX + 1];
    struct err err;

    require(dns_name_parse(domain, name, NULL, &err) == 0 && slice_eq_text(domain, name),
            "a domain is in stored form");
}

static int take_part(void *context, const struct report_part *part, struct err *err)
{
    struct mail_seen *seen = context;

    (void)err;
    require(part->bytes.len <= seen->size_max, "a part is no longer than its mail");
    require(!part->fault || part->certainty == REPORT_PART_DECLARED,
            "only what calls itself a report is kept for its fault");
    if (part->origin.from_domain.len > 0)
        require_stored_form(part->origin.from_domain);
    require(!part->origin.is_dkim_verified || part->origin.from_domain.len > 0,
            "what is proven is a domain");
    seen->n_parts++;
    /* A fault is one of the mail as a whole, whose origin may be proven. */
    seen->n_verified += part->origin.is_dkim_verified && !part->fault;
    return 0;
}

static struct mail_seen read_mail(struct slice mail, const char *authserv_id)
{
    struct report_mail_reader *reader = report_mail_reader_new(authserv_id);
    struct mail_seen seen = {.size_max = mail.len};
    const struct report_taker taker = {.take = take_part, .context = &seen};
    size_t n = SIZE_MAX;
    struct err err;

    require(report_mail_read(reader, mail, &taker, &n, &err) == 0, "a taker that takes is enough");
    require(n == seen.n_parts, "the parts are counted");
    report_mail_reader_free(reader);
    return seen;
}

static struct mail_seen read_behind(const char *fields, struct slice mail)
{
    size_t len = strlen(fields);
    char *bytes = memory_alloc(len + mail.len);
    struct mail_seen seen;

    memcpy(bytes, fields, len);
    if (mail.len > 0)
        memcpy(bytes + len, mail.ptr, mail.len);
    seen = read_mail((struct slice){bytes, len + mail.len}, SERVER);
    free(bytes);
    return seen;
}

static void check_auth_results(struct slice value)
{
    char signer[DNS_NAME_MAX + 1];

    if (auth_results_judge(value, slice_of(SERVER), slice_of("a.b.example"), signer) !=
        AUTH_SAYS_YES)
        return;
    require_stored_form(slice_of(signer));
    require(dns_name_is_within(slice_of("a.b.example"), slice_of(signer)),
            "a signer has the domain or one above it");
}

static void check_mbox(struct slice bytes)
{
    FILE *in = fmemopen(NULL, bytes.len + 1, "w+");
    struct report_mbox *mbox = report_mbox_new(in);
    size_t n_bytes = 0;
    struct slice mail;
    struct err err;
    int more;

    require(fwrite(bytes.ptr, 1, bytes.len, in) == bytes.len, "the bytes are there");
    rewind(in);
    while ((more = report_mbox_next(mbox, &mail, &err)) > 0) {
        require(mail.len > 0, "a mail has bytes");
        n_bytes += mail.len;
    }
    require(more == 0 && n_bytes <= bytes.len, "an mbox is read to its end, each byte once");
    report_mbox_free(mbox);
    fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {(const char *)data, size};
    struct mail_seen seen = read_mail(input, SERVER), unproven = read_mail(input, NULL);

    require(seen.n_parts == unproven.n_parts, "an origin changes nothing in the parts");
    require(unproven.n_verified == 0, "nobody is believed");
    require(read_behind(SERVER_SAYS_NO, input).n_verified == 0,
            "the word of the server stands above a forged one");
    require(read_behind(MAIL_IN_MAIL, input).n_verified == 0,
            "a mail within a mail proves nothing");
    check_auth_results(input);
    if (size > 0)
        check_mbox(input);
    return 0;
}
