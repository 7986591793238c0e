/* SPDX-License-Identifier: MIT */
#include "check/caa.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    CAA_HEAD_LEN = 2, /* flags and the length of the tag */
    CAA_CRITICAL = 0x80,
};

/* By the host of the directory's URL. */
static const struct {
    const char *host, *identity;
} caa_authorities[] = {
    {"acme-v02.api.letsencrypt.org", "letsencrypt.org"},
    {"acme-staging-v02.api.letsencrypt.org", "letsencrypt.org"},
    {"acme.zerossl.com", "sectigo.com"},
    {"acme.sectigo.com", "sectigo.com"},
    {"dv.acme-v02.api.pki.goog", "pki.goog"},
    {"dv.acme-v02.test-api.pki.goog", "pki.goog"},
    {"acme.ssl.com", "ssl.com"},
    {"api.buypass.com", "buypass.com"},
};

struct caa_property {
    bool is_critical;
    struct slice tag, value;
};

const char *caa_identity_of(const char *directory)
{
    struct slice url = slice_of(directory), host;
    size_t scheme_len = sizeof("https://") - 1;

    host = slice_range(url, url.len < scheme_len ? url.len : scheme_len, url.len);
    host = slice_range(host, 0, slice_find_byte(host, '/'));
    for (size_t i = 0; i < ARRAY_LEN(caa_authorities); i++)
        if (slice_eq_nocase(host, slice_of(caa_authorities[i].host)))
            return caa_authorities[i].identity;
    return NULL;
}

static bool caa_property_parse(struct slice rdata, struct caa_property *ret_property)
{
    size_t tag_len;

    if (rdata.len < CAA_HEAD_LEN)
        return false;
    tag_len = (unsigned char)rdata.ptr[1];
    if (tag_len == 0 || rdata.len < CAA_HEAD_LEN + tag_len)
        return false;
    ret_property->is_critical = ((unsigned char)rdata.ptr[0] & CAA_CRITICAL) != 0;
    ret_property->tag = slice_range(rdata, CAA_HEAD_LEN, CAA_HEAD_LEN + tag_len);
    ret_property->value = slice_range(rdata, CAA_HEAD_LEN + tag_len, rdata.len);
    return true;
}

static bool caa_tag_is(const struct caa_property *property, const char *tag)
{
    return slice_eq_nocase(property->tag, slice_of(tag));
}

static bool caa_tag_is_known(const struct caa_property *property)
{
    static const char *const known[] = {"issue",     "issuewild",    "iodef",
                                        "issuemail", "contactemail", "contactphone"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (caa_tag_is(property, known[i]))
            return true;
    return false;
}

/* Cuts off what stands before the next separator. */
static struct slice caa_cut(struct slice *value, char separator)
{
    size_t end = slice_find_byte(*value, separator);
    struct slice part = slice_trim(slice_range(*value, 0, end));

    *value = slice_range(*value, end < value->len ? end + 1 : end, value->len);
    return part;
}

static bool caa_methods_have_http(struct slice methods)
{
    while (methods.len > 0)
        if (slice_eq_text(caa_cut(&methods, ','), "http-01"))
            return true;
    return false;
}

/* Whether the parameters leave out the way in which we prove that the host is ours. */
static bool caa_excludes_http(struct slice parameters)
{
    static const char name[] = "validationmethods=";

    while (parameters.len > 0) {
        struct slice parameter = caa_cut(&parameters, ';');

        if (slice_starts_with(parameter, name) &&
            !caa_methods_have_http(slice_range(parameter, strlen(name), parameter.len)))
            return true;
    }
    return false;
}

bool caa_allows(const struct slice *rdata, size_t n_rdata, const char *identity,
                char ret_fault[static CAA_FAULT_MAX])
{
    char quoted[ERR_QUOTE_MAX];
    struct caa_property property;
    bool has_issue = false;

    for (size_t i = 0; i < n_rdata; i++) {
        struct slice value, issuer;
        bool is_ours;

        if (!caa_property_parse(rdata[i], &property))
            continue;
        if (property.is_critical && !caa_tag_is_known(&property)) {
            snprintf(ret_fault, CAA_FAULT_MAX,
                     "is critical and has the tag %s, which no certificate authority may ignore",
                     err_quote(quoted, sizeof(quoted), property.tag));
            return false;
        }
        if (!caa_tag_is(&property, "issue"))
            continue;
        value = property.value;
        issuer = caa_cut(&value, ';');
        is_ours = issuer.len > 0 && (!identity || slice_eq_nocase(issuer, slice_of(identity)));
        if (is_ours && !caa_excludes_http(value))
            return true;
        if (is_ours)
            snprintf(ret_fault, CAA_FAULT_MAX, "does not allow the method http-01: %s",
                     err_quote(quoted, sizeof(quoted), property.value));
        else if (!has_issue && issuer.len > 0)
            snprintf(ret_fault, CAA_FAULT_MAX, "allows %s, but not %s",
                     err_quote(quoted, sizeof(quoted), property.value), identity);
        else if (!has_issue)
            snprintf(ret_fault, CAA_FAULT_MAX, "allows no certificate authority to issue");
        has_issue = true;
    }
    return !has_issue;
}
