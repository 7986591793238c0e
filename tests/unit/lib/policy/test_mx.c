/* SPDX-License-Identifier: MIT */
#include "lib/policy/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/policy/policy.h"
#include "support/vectors.h"

#define A10 "aaaaaaaaaa"
#define LABEL_63 A10 A10 A10 A10 A10 A10 "aaa"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." A10 A10 A10 A10 A10 A10 "a"

static bool same_text(const char *wanted, const char *seen)
{
    return wanted && seen ? strcmp(wanted, seen) == 0 : wanted == seen;
}

static void test_fault(void **state)
{
    static const char address[] = "is an address; an mx is the name of a mail server";
    static const char brackets[] =
        "is in brackets, like an address; an mx is the name of a mail server";
    static const char number[] =
        "ends in a number, like an address; an mx is the name of a mail server";
    static const char several[] =
        "has a space, comma or semicolon; each name needs an mx of its own";
    static const char priority[] =
        "begins with the priority of an MX record; write the host's name alone";
    static const char url[] = "is a URL; an mx is the name of a mail server";
    static const char mail[] = "is an e-mail address; an mx is the name of a mail server";
    static const char wildcard[] = "has a '*' that is not the whole first label; write "
                                   "*.example.com";
    static const char bare[] = "has no domain after the wildcard; write *.example.com";
    static const char empty_label[] = "has an empty label";
    static const char hyphen[] = "has a label that begins or ends with a hyphen";
    static const char placeholder[] =
        "is a placeholder that nobody has filled in; write the name of "
        "the mail server (the YAML knows {domain} and "
        "{domain_dashed})";
    static const char typographic[] =
        "has a typographic quote, dash or space in it; type it anew in plain ASCII";
    static const char odd[] = "has a character other than letters, digits, hyphens and dots";
    static const char not_ascii[] =
        "has a character that is not ASCII; write the A-label (xn--...)";
    static const char leading_dot[] =
        "begins with a dot; write *.example.com for the hosts of a domain";
    static const char colon[] = "has a colon; an mx is a name without a port";
    static const char quote[] = "has a quote; an mx is the bare name of a mail server";
    static const struct {
        struct slice pattern;
        const char *want; /* NULL: well formed */
    } rows[] = {
        {{NULL, 0}, "is empty; an mx is the name of a mail server"},
        {SLICE_BYTES(""), "is empty; an mx is the name of a mail server"},
        {SLICE_BYTES("a"), NULL},
        {SLICE_BYTES("mail"), NULL},
        {SLICE_BYTES("*.com"), NULL},
        {SLICE_BYTES("MX1.Example.COM"), NULL},
        {SLICE_BYTES("*.xn--bcher-kva.example"), NULL},
        {SLICE_BYTES("3com.1and1.example"), NULL},
        {SLICE_BYTES("1.2.3.4a"), NULL},
        {SLICE_BYTES("a--b.example"), NULL},
        {SLICE_BYTES(LABEL_63 ".example"), NULL},
        {SLICE_BYTES("*." LABEL_63), NULL},
        {SLICE_BYTES(LABEL_63 "a.example"), "has a label of more than 63 octets"},
        {SLICE_BYTES("example." LABEL_63 "a"), "has a label of more than 63 octets"},
        {SLICE_BYTES(NAME_253), NULL},
        {SLICE_BYTES("*." NAME_253), NULL},
        {SLICE_BYTES(NAME_253 "a"), "is longer than 253 octets"},
        {SLICE_BYTES("*." NAME_253 "a"), "is longer than 253 octets"},
        {SLICE_BYTES("postmaster@example.com"), mail},
        {SLICE_BYTES("mailto:postmaster@example.com"), mail},
        {SLICE_BYTES("Postmaster <postmaster@example.com>"), mail},
        {SLICE_BYTES(".@"), mail},
        {SLICE_BYTES("@"), mail},
        {SLICE_BYTES("https://mail.example.com"), url},
        {SLICE_BYTES("smtp://postmaster@mail.example.com:25/"), url},
        {SLICE_BYTES("192.0.2.1"), address},
        {SLICE_BYTES("2001:db8::1"), address},
        {SLICE_BYTES("::"), address},
        {SLICE_BYTES("[192.0.2.1]"), brackets},
        {SLICE_BYTES("[IPv6:2001:db8::1]"), brackets},
        {SLICE_BYTES("IPv6 [2001:db8::1]:25"), brackets},
        {SLICE_BYTES("[mail.example.com]:587"), brackets},
        {SLICE_BYTES("mail.example.com]"), brackets},
        {SLICE_BYTES("192.0.2.256"), number},
        {SLICE_BYTES("192.0.2.1\0"), odd},
        {SLICE_BYTES("1"), number},
        {SLICE_BYTES("*.2.1"), number},
        {SLICE_BYTES("mail.25"), number},
        {SLICE_BYTES("mail.example.com:25"), colon},
        {SLICE_BYTES("mx1.example.com mx2.example.com"), several},
        {SLICE_BYTES("mx1.example.com,mx2.example.com"), several},
        {SLICE_BYTES("mx1.example.com, mx2.example.com"), several},
        {SLICE_BYTES("mx1.example.com;mx2.example.com"), several},
        {SLICE_BYTES("mx1.example.com\t"), several},
        {SLICE_BYTES("10 mx1.example.com"), priority},
        {SLICE_BYTES("0\tmx1.example.com."), priority},
        {SLICE_BYTES("10 mx1.example.com, 20 mx2.example.com"), priority},
        {SLICE_BYTES("10"), number},
        {SLICE_BYTES("10."), "ends with a dot; leave it out"},
        {SLICE_BYTES(" 10 mx1.example.com"), several},
        {SLICE_BYTES("a.example:25, b.example:25"), several},
        {SLICE_BYTES("\"mail.example.com\""), quote},
        {SLICE_BYTES("'mail.example.com'"), quote},
        {SLICE_BYTES("_mail.example.com"), "has an underscore, which no host name has"},
        {SLICE_BYTES("mx_1.example.com"), "has an underscore, which no host name has"},
        {SLICE_BYTES("*"), bare},
        {SLICE_BYTES("*."), bare},
        {SLICE_BYTES("**"), wildcard},
        {SLICE_BYTES("*.*"), wildcard},
        {SLICE_BYTES("*.*.example.com"), wildcard},
        {SLICE_BYTES("*example.com"), wildcard},
        {SLICE_BYTES("mx*.example.com"), wildcard},
        {SLICE_BYTES("mail.*.example.com"), wildcard},
        {SLICE_BYTES("mail.*"), wildcard},
        {SLICE_BYTES("."), leading_dot},
        {SLICE_BYTES(".example.com"), leading_dot},
        {SLICE_BYTES("mail.example.com."), "ends with a dot; leave it out"},
        {SLICE_BYTES("*.example.com."), "ends with a dot; leave it out"},
        {SLICE_BYTES("mail.example.com.."), empty_label},
        {SLICE_BYTES("mail..example.com"), empty_label},
        {SLICE_BYTES("*..example.com"), empty_label},
        {SLICE_BYTES("-mail.example.com"), hyphen},
        {SLICE_BYTES("mail-.example.com"), hyphen},
        {SLICE_BYTES("*.-"), hyphen},
        {SLICE_BYTES("b\xc3\xbc"
                     "cher.example"),
         not_ascii},
        {SLICE_BYTES("\xff"), not_ascii},
        {SLICE_BYTES("mail\0.example.com"), odd},
        {SLICE_BYTES("mail.example.com\r"), odd},
        {SLICE_BYTES("mail.example.com/"), odd},
        {SLICE_BYTES("{domain}"), placeholder},
        {SLICE_BYTES("<CURRENT_MX_1>"), placeholder},
        {SLICE_BYTES("${MX_HOST}"), placeholder},
        {SLICE_BYTES("{{ mx }}"), placeholder},
        {SLICE_BYTES("%MX%"), placeholder},
        {SLICE_BYTES("\xe2\x80\x9cmail.example.com\xe2\x80\x9d"), typographic},
        {SLICE_BYTES("mail.example.com\xc2\xa0"), typographic},
        {SLICE_BYTES("2001:db8::1%25eth0:aaaa:bbbb:cccc:dddd:eeee:ffff"), placeholder},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *seen = mx_pattern_fault(rows[i].pattern);

        if (!same_text(rows[i].want, seen))
            fail_msg("row %zu: '%.*s': wanted '%s', saw '%s'", i, SLICE_ARG(rows[i].pattern),
                     rows[i].want ? rows[i].want : "nothing", seen ? seen : "nothing");
    }
}

static void test_lint_of_providers(void **state)
{
    static const struct {
        const char *pattern;
        enum finding want;
    } rows[] = {
        {"*.protection.outlook.com", FINDING_MX_NEVER_MATCHES},
        {"*.Outlook.com", FINDING_MX_NEVER_MATCHES},
        {"*.mail.protection.outlook.com", FINDING_NONE},
        {"example-com.mail.protection.outlook.com", FINDING_NONE},
        {"*.olc.protection.outlook.com", FINDING_NONE},
        {"google.com", FINDING_MX_NEVER_MATCHES},
        {"smtp.google.com", FINDING_NONE},
        {"smtp.gmail.com", FINDING_MX_UNLIKELY},
        {"smtp.zoho.com", FINDING_MX_UNLIKELY},
        {"mx.zoho.com", FINDING_NONE},
        {"SMTP.Office365.com", FINDING_MX_UNLIKELY},
        {"autoconfig.example.com", FINDING_MX_UNLIKELY},
        {"AutoDiscover.example.com", FINDING_MX_UNLIKELY},
        {"autodiscoverer.example.com", FINDING_NONE},
        {"*.icloud.com", FINDING_MX_UNLIKELY},
        {"*.mail.icloud.com", FINDING_NONE},
        {"smtp.example.com", FINDING_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mx_lint seen = mx_pattern_lint(slice_of(rows[i].pattern));

        if (seen.finding != rows[i].want)
            fail_msg("row %zu: %s: saw %s", i, rows[i].pattern, finding_row(seen.finding)->code);
    }
}

static void test_lint(void **state)
{
    static const char host[] = "is a policy host; an mx names a mail server";
    static const char microsoft[] = "covers no MX host there; write the tenant's own name, such as "
                                    "<name>.a-v1.mx.microsoft, or *.a-v1.mx.microsoft";
    static const char outlook[] = "is no tenant's MX host; write *.mail.protection.outlook.com";
    static const char no_dot[] =
        "has no dot; MX records hold full names, so write one, such as mail.example.com";
    static const char public[] = "covers every domain below a public suffix, strangers' too; write "
                                 "the domain of the MX hosts, as in *.example.com";
    static const char private[] =
        "covers names that several organisations share; write the full name of each MX host";
    static const struct {
        const char *pattern;
        struct mx_lint want;
    } rows[] = {
        {"", {FINDING_MX_SYNTAX, "is empty; an mx is the name of a mail server"}},
        {"mta-sts.example.com.", {FINDING_MX_SYNTAX, "ends with a dot; leave it out"}},
        {"mail.example.com", {FINDING_NONE, NULL}},
        {"*.example.com", {FINDING_NONE, NULL}},
        {"mta-sts.example.com", {FINDING_MX_POLICY_HOST, host}},
        {"MTA-STS.example.com", {FINDING_MX_POLICY_HOST, host}},
        {"*.mta-sts.example.com", {FINDING_MX_POLICY_HOST, host}},
        {"mta-sts", {FINDING_MX_POLICY_HOST, host}},
        {"*.mta-sts", {FINDING_MX_POLICY_HOST, host}},
        {"mta-sts2.example.com", {FINDING_NONE, NULL}},
        {"mail.mta-sts.example.com", {FINDING_NONE, NULL}},
        {"*.mx.microsoft", {FINDING_MX_NEVER_MATCHES, microsoft}},
        {"*.MX.Microsoft", {FINDING_MX_NEVER_MATCHES, microsoft}},
        {"*.a-v1.mx.microsoft", {FINDING_NONE, NULL}},
        {"example-com.a-v1.mx.microsoft", {FINDING_NONE, NULL}},
        {"mail.protection.outlook.com", {FINDING_MX_NEVER_MATCHES, outlook}},
        {"Mail.Protection.Outlook.com", {FINDING_MX_NEVER_MATCHES, outlook}},
        {"*.mail.protection.outlook.com", {FINDING_NONE, NULL}},
        {"example-com.mail.protection.outlook.com", {FINDING_NONE, NULL}},
        {"mail", {FINDING_MX_NEVER_MATCHES, no_dot}},
        {"com", {FINDING_MX_NEVER_MATCHES, no_dot}},
        {"*.com", {FINDING_MX_PUBLIC_SUFFIX, public}},
        {"*.COM", {FINDING_MX_PUBLIC_SUFFIX, public}},
        {"*.co.uk", {FINDING_MX_PUBLIC_SUFFIX, public}},
        {"*.xn--p1ai", {FINDING_MX_PUBLIC_SUFFIX, public}},
        {"*.any.ck", {FINDING_MX_PUBLIC_SUFFIX, public}}, /* the list's rule *.ck */
        {"*.www.ck", {FINDING_NONE, NULL}},               /* and its exception !www.ck */
        {"co.uk", {FINDING_NONE, NULL}},
        {"mail.co.uk", {FINDING_NONE, NULL}},
        {"*.mail.co.uk", {FINDING_NONE, NULL}},
        {"*.example", {FINDING_NONE, NULL}}, /* not in the list: no suffix by default */
        {"*.lan", {FINDING_NONE, NULL}},
        {"*.corp.example", {FINDING_NONE, NULL}},
        {"*.uk.com", {FINDING_MX_PRIVATE_SUFFIX, private}},
        {"*.GitHub.io", {FINDING_MX_PRIVATE_SUFFIX, private}},
        {"mail.github.io", {FINDING_NONE, NULL}},
        {"*." NAME_253, {FINDING_NONE, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mx_lint seen = mx_pattern_lint(slice_of(rows[i].pattern));

        if (seen.finding != rows[i].want.finding || !same_text(rows[i].want.why, seen.why))
            fail_msg("row %zu: '%s': wanted %s, saw %s (%s)", i, rows[i].pattern,
                     finding_row(rows[i].want.finding)->code, finding_row(seen.finding)->code,
                     seen.why ? seen.why : "no reason");
    }
}

static void test_matches(void **state)
{
    static const struct {
        struct slice pattern, host;
        bool want;
    } rows[] = {
        {SLICE_BYTES("a.example"), {NULL, 0}, false},
        {SLICE_BYTES("a.example"), SLICE_BYTES(""), false},
        {SLICE_BYTES("a.example"), SLICE_BYTES("."), false},
        {{NULL, 0}, {NULL, 0}, false},
        {SLICE_BYTES("a.example"), SLICE_BYTES("a.example"), true},
        {SLICE_BYTES("A.example"), SLICE_BYTES("a.EXAMPLE."), true},
        {SLICE_BYTES("a.example"), SLICE_BYTES("a.example.."), false},
        {SLICE_BYTES("a.example"), SLICE_BYTES("a.example\0"), false},
        {SLICE_BYTES("a.example"), SLICE_BYTES("b.a.example"), false},
        {SLICE_BYTES("*.example"), SLICE_BYTES("a.example"), true},
        {SLICE_BYTES("*.EXAMPLE"), SLICE_BYTES("a.example."), true},
        {SLICE_BYTES("*.example"), SLICE_BYTES("xn--bcher-kva.example"), true},
        {SLICE_BYTES("*.example"), SLICE_BYTES("example"), false},
        {SLICE_BYTES("*.example"), SLICE_BYTES(".example"), false},
        {SLICE_BYTES("*.example"), SLICE_BYTES(".example."), false},
        {SLICE_BYTES("*.example"), SLICE_BYTES("a.b.example"), false},
        {SLICE_BYTES("*.example"), SLICE_BYTES("*.example"), true},
        {SLICE_BYTES("a.example."), SLICE_BYTES("a.example."), false},
        {SLICE_BYTES("*."), SLICE_BYTES("a."), false},
        {SLICE_BYTES("*"), SLICE_BYTES("*"), false},
        {SLICE_BYTES("192.0.2.1"), SLICE_BYTES("192.0.2.1"), false},
        {SLICE_BYTES("*." NAME_253), SLICE_BYTES("a." NAME_253), true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool seen = mx_pattern_matches(rows[i].pattern, rows[i].host);

        if (seen != rows[i].want)
            fail_msg("row %zu: '%.*s' and '%.*s': wanted %d, saw %d", i, SLICE_ARG(rows[i].pattern),
                     SLICE_ARG(rows[i].host), rows[i].want, seen);
    }
}

static bool check_match_vector(const json_t *row, struct arena *arena)
{
    const json_t *patterns = json_object_get(row, "patterns");
    const json_t *valid = json_object_get(row, "pattern_valid");
    bool want = json_is_true(json_object_get(row, "rfc_match"));
    struct slice host = vector_text(json_object_get(row, "mx_host"));
    struct policy policy = {.n_mx = json_array_size(patterns)};
    struct slice *mx = arena_array(arena, policy.n_mx, sizeof(*mx));
    bool seen;

    for (size_t i = 0; i < policy.n_mx; i++) {
        mx[i] = vector_text(json_array_get(patterns, i));
        if ((mx_pattern_fault(mx[i]) == NULL) == json_is_false(valid)) {
            print_error("pattern %zu: well formed was not to be %d\n", i, json_is_false(valid));
            return false;
        }
    }
    policy.mx = mx;
    seen = policy_covers(&policy, host);
    if (seen != want)
        print_error("'%.*s': wanted %d, saw %d\n", SLICE_ARG(host), want, seen);
    return seen == want;
}

static void test_match_vectors(void **state)
{
    (void)state;
    vectors_run("mxmatch.json", check_match_vector);
}

static void test_covers(void **state)
{
    static const struct slice mx[] = {SLICE_BYTES("a.example"), SLICE_BYTES("*.b.example")};
    static const struct {
        size_t n_mx;
        const char *host;
        bool want;
    } rows[] = {
        {0, "a.example", false}, {1, "a.example", true},   {1, "c.b.example", false},
        {2, "a.example", true},  {2, "c.b.example", true}, {2, "b.example", false},
        {2, "A.EXAMPLE.", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy policy = {.mx = mx, .n_mx = rows[i].n_mx};

        if (policy_covers(&policy, slice_of(rows[i].host)) != rows[i].want)
            fail_msg("row %zu: wanted %d", i, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_lint_of_providers),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_match_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
