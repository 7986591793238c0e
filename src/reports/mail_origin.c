/* SPDX-License-Identifier: MIT */
#include "reports/mail_origin.h"

#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/auth_results.h"

/* The next field of this name from *at on, and *at behind it; NULL if there is none. */
static const char *field_next(GMimeHeaderList *fields, const char *name, int *at)
{
    while (*at < g_mime_header_list_get_count(fields)) {
        GMimeHeader *field = g_mime_header_list_get_header_at(fields, (*at)++);

        if (strcasecmp(g_mime_header_get_name(field), name) == 0)
            return g_mime_header_get_raw_value(field);
    }
    return NULL;
}

/* The domain of the one address in a From; without effect if that is not clear. */
static void from_domain_read(const char *value, char ret_domain[DNS_NAME_MAX + 1])
{
    InternetAddressList *list = internet_address_list_parse(NULL, value);
    InternetAddress *address;
    const char *text, *at;
    struct err err;

    if (!list)
        return;
    if (internet_address_list_length(list) == 1) {
        address = internet_address_list_get_address(list, 0);
        text = INTERNET_ADDRESS_IS_MAILBOX(address)
                   ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address))
                   : NULL;
        at = text ? strrchr(text, '@') : NULL;
        if (at)
            dns_name_parse(slice_of(at + 1), ret_domain, NULL, &err);
    }
    g_object_unref(list);
}

/* Cuts one tag off a DKIM-Signature: RFC 6376 3.2. */
static void tag_cut(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    struct slice tag = slice_range(*rest, 0, slice_find_byte(*rest, ';'));
    size_t equals = slice_find_byte(tag, '=');

    *rest = slice_range(*rest, tag.len + 1, rest->len);
    *ret_name = slice_range(tag, 0, equals);
    *ret_value = slice_range(tag, equals + 1, tag.len);
}

/* Without white space of any kind at either end: a tag may stand on a line of its own. */
static struct slice fws_trim(struct slice text)
{
    while (text.len > 0 && memchr(" \t\r\n", text.ptr[0], 4))
        text = slice_range(text, 1, text.len);
    while (text.len > 0 && memchr(" \t\r\n", text.ptr[text.len - 1], 4))
        text = slice_range(text, 0, text.len - 1);
    return text;
}

/*
 * A signature of `signer`, or of a domain above it that may sign in its name by i=, covers only the
 * first l= bytes: anybody may append a report.
 */
static bool signature_is_partial(const char *value, const char *signer)
{
    struct slice rest = slice_of(value), name, text;
    bool is_signers = false, has_length = false;
    char domain[DNS_NAME_MAX + 1];
    struct err err;

    while (rest.len > 0) {
        tag_cut(&rest, &name, &text);
        name = fws_trim(name);
        if (slice_eq_text(name, "l"))
            has_length = true;
        else if (slice_eq_text(name, "d"))
            is_signers = dns_name_parse(fws_trim(text), domain, NULL, &err) == 0 &&
                         dns_name_is_within(slice_of(signer), slice_of(domain));
    }
    return is_signers && has_length;
}

static bool has_partial_signature(GMimeHeaderList *fields, const char *signer)
{
    const char *value;
    int at = 0;

    while ((value = field_next(fields, "DKIM-Signature", &at)))
        if (signature_is_partial(value, signer))
            return true;
    return false;
}

/*
 * The first field of the server that speaks of DKIM decides alone: each server writes its fields
 * above those that came with the mail, so that a forged one stands below.
 */
static bool origin_is_verified(GMimeHeaderList *fields, const char *authserv_id, const char *domain)
{
    enum auth_word word = AUTH_SAYS_NOTHING;
    char signer[DNS_NAME_MAX + 1];
    const char *value;
    int at = 0;

    while (word == AUTH_SAYS_NOTHING && (value = field_next(fields, "Authentication-Results", &at)))
        word = auth_results_judge(slice_of(value), slice_of(authserv_id), slice_of(domain), signer);
    return word == AUTH_SAYS_YES && !has_partial_signature(fields, signer);
}

void mail_origin_read(GMimeHeaderList *fields, const char *authserv_id,
                      struct mail_origin *ret_origin)
{
    int at = 0;
    const char *from = field_next(fields, "From", &at);

    *ret_origin = (struct mail_origin){0};
    if (!from || field_next(fields, "From", &at))
        return;
    from_domain_read(from, ret_origin->from_domain);
    if (authserv_id && ret_origin->from_domain[0] != '\0')
        ret_origin->is_dkim_verified =
            origin_is_verified(fields, authserv_id, ret_origin->from_domain);
}
