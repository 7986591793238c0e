/* SPDX-License-Identifier: MIT */
#include "check/smtp_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "check/mx_trust.h"
#include "lib/base/err.h"
#include "support/pki.h"
#include "support/smtp_server.h"

#define SAY(text)             \
    {                         \
        SMTP_STEP_SAY, (text) \
    }
#define HEAR(text)             \
    {                          \
        SMTP_STEP_HEAR, (text) \
    }
#define STEP(kind)             \
    {                          \
        SMTP_STEP_##kind, NULL \
    }

static struct pki_identity *root, *leaf;
static struct mx_trust *trust;
static SSL_CTX *server_tls;

/* A server's context that also speaks what nobody should: TLS 1.0 with a small key. */
static SSL_CTX *server_context(const struct pki_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_non_null(context);
    assert_int_equal(SSL_CTX_set_min_proto_version(context, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0"), 1);
    if (identity) {
        assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
        assert_int_equal(SSL_CTX_add1_chain_cert(context, root->certificate), 1);
    }
    return context;
}

static int open_probes(void **state)
{
    const struct pki_request authority = {.common_name = "root", .role = PKI_AUTHORITY},
                             request = {.common_name = "leaf", .names = "DNS:mx.example"};
    struct err err;

    signal(SIGPIPE, SIG_IGN);
    pki_enter_directory(state);
    root = pki_issue(&authority, "P-256", NULL);
    leaf = pki_issue(&request, "P-256", root);
    pki_write("roots.pem", root->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    server_tls = server_context(leaf);
    return 0;
}

static int close_probes(void **state)
{
    SSL_CTX_free(server_tls);
    mx_trust_free(trust);
    pki_free(root);
    pki_free(leaf);
    return pki_leave_directory(state);
}

/* What a probe has seen. */
struct seen_probe {
    struct smtp_result result; /* its chain is NULL */
    int n_chain;
    bool is_leaf;
    unsigned n_calls;
};

static void note_result(void *context, const struct smtp_result *result)
{
    struct seen_probe *seen = context;

    seen->result = *result;
    seen->result.chain = NULL;
    seen->n_chain = sk_X509_num(result->chain);
    seen->is_leaf =
        seen->n_chain > 0 && X509_cmp(sk_X509_value(result->chain, 0), leaf->certificate) == 0;
    seen->n_calls++;
}

enum { LONG_MS = 20000, SHORT_MS = 60 };

static struct seen_probe probed_address(const struct sockaddr *address, const char *sni,
                                        uint64_t limit_ms)
{
    const struct smtp_options options = {.tls = mx_trust_context(trust),
                                         .helo = "check.example",
                                         .sni = sni,
                                         .connect_ms = limit_ms,
                                         .reply_ms = limit_ms,
                                         .total_ms = LONG_MS};
    struct seen_probe seen = {0};
    uv_loop_t loop;

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_non_null(smtp_probe_start(&loop, address, &options, note_result, &seen));
    assert_int_equal(seen.n_calls, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(seen.n_calls, 1);
    return seen;
}

static struct seen_probe probed_script(const struct smtp_step *steps, SSL_CTX *tls,
                                       uint64_t limit_ms)
{
    struct smtp_server *server = smtp_server_start(steps, tls);
    struct seen_probe seen = probed_address(smtp_server_address(server), "mx.example", limit_ms);

    smtp_server_stop(server);
    return seen;
}

static void shakes_hands_and_takes_the_chain(void **state)
{
    static const struct smtp_step steps[] = {
        SAY("220-mx.example\r\n220 hello\r\n"),
        HEAR("EHLO check.example\r\n"),
        SAY("250-mx.example\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 HELP\r\n"),
        HEAR("STARTTLS\r\n"),
        SAY("220 go ahead\r\n"),
        STEP(SHAKE),
        HEAR("QUIT\r\n"),
        SAY("221 bye\r\n"),
        STEP(CLOSE),
    };
    struct smtp_server *server = smtp_server_start(steps, server_tls);
    struct seen_probe seen = probed_address(smtp_server_address(server), "mx.example", LONG_MS);

    (void)state;
    assert_int_equal(seen.result.end, SMTP_END_SECURED);
    assert_int_equal(seen.result.stage, SMTP_HANDSHAKE);
    assert_int_equal(seen.result.tls_number, TLS1_3_VERSION);
    assert_string_equal(seen.result.tls_version, "TLSv1.3");
    assert_int_equal(seen.n_chain, 2);
    assert_true(seen.is_leaf);
    assert_string_equal(smtp_server_name_asked(server), "mx.example");

    seen = probed_address(smtp_server_address(server), NULL, LONG_MS);
    assert_int_equal(seen.result.end, SMTP_END_SECURED);
    assert_string_equal(smtp_server_name_asked(server), "");
    smtp_server_stop(server);
}

/* With the steps that a server plays, how the probe ends. */
struct end_row {
    struct smtp_step steps[8];
    enum smtp_end end;
    enum smtp_stage stage;
    int code;
    const char *text;
};

static void end_row_check(size_t i, const struct end_row *row, uint64_t limit_ms)
{
    struct seen_probe seen = probed_script(row->steps, server_tls, limit_ms);

    if (seen.result.end != row->end || seen.result.stage != row->stage ||
        seen.result.code != row->code || seen.result.text_len != strlen(row->text) ||
        memcmp(seen.result.text, row->text, seen.result.text_len) != 0)
        fail_msg("row %zu: expected end %d in %d, %d <%s>, found %d in %d, %d <%.*s> (%s)", i,
                 row->end, row->stage, row->code, row->text, seen.result.end, seen.result.stage,
                 seen.result.code, (int)seen.result.text_len, seen.result.text, seen.result.fault);
    assert_int_equal(seen.n_chain, -1);
}

/* All but the last of SMTP_LINES_MAX lines. */
#define TEN_LINES "a a a a a a a a a a "
#define FLOOD_TEXT                                                                            \
    TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES \
        "a a a a a a a a a"

#define EHLO HEAR("EHLO check.example\r\n")
#define QUIT HEAR("QUIT\r\n"), STEP(CLOSE)

static void says_how_it_ended(void **state)
{
    static const struct end_row rows[] = {
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 SIZE\r\n"), QUIT},
         SMTP_END_NO_STARTTLS,
         SMTP_EHLO,
         250,
         "a SIZE"},
        /* the first line is a name, and keywords are whole words */
        {{SAY("220 a\r\n"), EHLO, SAY("250 STARTTLS\r\n"), QUIT},
         SMTP_END_NO_STARTTLS,
         SMTP_EHLO,
         250,
         "STARTTLS"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250-XSTARTTLS\r\n250 STARTTLSX\r\n"), QUIT},
         SMTP_END_NO_STARTTLS,
         SMTP_EHLO,
         250,
         "a XSTARTTLS STARTTLSX"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 starttls x\r\n"), HEAR("STARTTLS\r\n"),
          SAY("454 4.7.0 later\r\n"), QUIT},
         SMTP_END_REFUSED,
         SMTP_STARTTLS,
         454,
         "4.7.0 later"},
        {{SAY("554-no\r\n554 mail\r\n"), QUIT}, SMTP_END_REFUSED, SMTP_GREETING, 554, "no mail"},
        {{SAY("421 busy\r\n"), STEP(CLOSE)}, SMTP_END_REFUSED, SMTP_GREETING, 421, "busy"},
        {{SAY("220 a\r\n"), EHLO, SAY("550 go away\r\n"), QUIT},
         SMTP_END_REFUSED,
         SMTP_EHLO,
         550,
         "go away"},
        {{SAY("220 a\r\n"), EHLO, SAY("421 busy\r\n"), STEP(CLOSE)},
         SMTP_END_REFUSED,
         SMTP_EHLO,
         421,
         "busy"},
        {{STEP(CLOSE)}, SMTP_END_CLOSED, SMTP_GREETING, 0, ""},
        {{STEP(RESET)}, SMTP_END_CLOSED, SMTP_GREETING, 0, ""},
        {{SAY("220 a\r\n"), EHLO, STEP(CLOSE)}, SMTP_END_CLOSED, SMTP_EHLO, 220, "a"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n"), STEP(CLOSE)},
         SMTP_END_CLOSED,
         SMTP_EHLO,
         250,
         "a"},
        {{SAY("SSH-2.0-x\r\n")}, SMTP_END_BROKEN, SMTP_GREETING, 0, "SSH-2.0-x"},
        {{SAY("250 a\r\n")}, SMTP_END_BROKEN, SMTP_GREETING, 250, "a"},
        {{SAY("354 a\r\n")}, SMTP_END_BROKEN, SMTP_GREETING, 354, "a"},
        {{SAY("220 a\r\n"), EHLO, SAY("220 b\r\n")}, SMTP_END_BROKEN, SMTP_EHLO, 220, "b"},
        {{SAY("220 a\r\n250 b\r\n")}, SMTP_END_UNASKED, SMTP_GREETING, 220, "a"},
        /* RFC 3207's injection: what comes in clear must not count inside TLS */
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n"),
          SAY("220 go\r\n250 injected\r\n")},
         SMTP_END_UNASKED,
         SMTP_STARTTLS,
         220,
         "go"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n"),
          SAY("220 go\r\n\x16")},
         SMTP_END_UNASKED,
         SMTP_STARTTLS,
         220,
         "go"},
        {{{SMTP_STEP_FLOOD, "220-a\r\n"}}, SMTP_END_TOO_LONG, SMTP_GREETING, 220, FLOOD_TEXT},
        {{{SMTP_STEP_FLOOD, "220"}}, SMTP_END_TOO_LONG, SMTP_GREETING, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        end_row_check(i, &rows[i], LONG_MS);
}

static void bounds_the_time_of_each_step(void **state)
{
    static const struct end_row rows[] = {
        {{STEP(END)}, SMTP_END_TIMEOUT, SMTP_GREETING, 0, ""},
        {{SAY("220 a\r\n"), EHLO}, SMTP_END_TIMEOUT, SMTP_EHLO, 220, "a"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n")},
         SMTP_END_TIMEOUT,
         SMTP_STARTTLS,
         250,
         "a STARTTLS"},
        {{SAY("220 a\r\n"), EHLO, SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n"),
          SAY("220 go\r\n")},
         SMTP_END_TIMEOUT,
         SMTP_HANDSHAKE,
         220,
         "go"},
        /* an octet now and then does not help: a reply comes as a whole in its time */
        {{{SMTP_STEP_DRIBBLE, "2"}}, SMTP_END_TIMEOUT, SMTP_GREETING, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        end_row_check(i, &rows[i], SHORT_MS);
}

static void bounds_the_whole_time(void **state)
{
    static const struct smtp_step steps[] = {STEP(END)};
    struct smtp_server *server = smtp_server_start(steps, NULL);
    const struct smtp_options options = {.tls = mx_trust_context(trust),
                                         .helo = "check.example",
                                         .connect_ms = LONG_MS,
                                         .reply_ms = LONG_MS,
                                         .total_ms = SHORT_MS};
    struct seen_probe seen = {0};
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    smtp_probe_start(&loop, smtp_server_address(server), &options, note_result, &seen);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(seen.result.end, SMTP_END_TIMEOUT);
    assert_true(seen.result.took_ms < LONG_MS / 2);
    smtp_server_stop(server);
}

static void a_server_that_does_not_say_farewell_is_left(void **state)
{
    static const struct smtp_step steps[] = {SAY("220 a\r\n"),
                                             EHLO,
                                             SAY("250 a\r\n"),
                                             HEAR("QUIT\r\n"),
                                             {SMTP_STEP_DRIBBLE, "221 bye\r\n"}};
    struct seen_probe seen = probed_script(steps, NULL, LONG_MS);

    (void)state;
    assert_int_equal(seen.result.end, SMTP_END_NO_STARTTLS);
    assert_true(seen.result.took_ms < LONG_MS / 2);
}

static void says_why_a_handshake_failed(void **state)
{
    static const struct smtp_step in_clear[] = {SAY("220 a\r\n"),
                                                EHLO,
                                                SAY("250-a\r\n250 STARTTLS\r\n"),
                                                HEAR("STARTTLS\r\n"),
                                                SAY("220 go\r\n"),
                                                {SMTP_STEP_DRIBBLE, "250 I have no TLS\r\n"}};
    static const struct smtp_step closed[] = {
        SAY("220 a\r\n"),  EHLO,       SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n"),
        SAY("220 go\r\n"), STEP(CLOSE)};
    static const struct smtp_step shaken[] = {
        SAY("220 a\r\n"),  EHLO,       SAY("250-a\r\n250 STARTTLS\r\n"), HEAR("STARTTLS\r\n"),
        SAY("220 go\r\n"), STEP(SHAKE)};
    SSL_CTX *bare = server_context(NULL);
    struct seen_probe seen = probed_script(in_clear, NULL, LONG_MS);

    (void)state;
    assert_int_equal(seen.result.end, SMTP_END_TLS);
    assert_int_equal(seen.result.stage, SMTP_HANDSHAKE);
    assert_string_equal(seen.result.fault, "wrong version number");

    seen = probed_script(closed, NULL, LONG_MS);
    assert_int_equal(seen.result.end, SMTP_END_CLOSED);
    assert_int_equal(seen.result.stage, SMTP_HANDSHAKE);

    seen = probed_script(shaken, bare, LONG_MS);
    assert_int_equal(seen.result.end, SMTP_END_TLS);
    assert_string_equal(seen.result.fault, "sslv3 alert handshake failure");
    SSL_CTX_free(bare);
}

/* The probe describes what a sender would refuse. */
static void speaks_old_versions(void **state)
{
    static const struct smtp_step steps[] = {SAY("220 a\r\n"),
                                             EHLO,
                                             SAY("250-a\r\n250 STARTTLS\r\n"),
                                             HEAR("STARTTLS\r\n"),
                                             SAY("220 go\r\n"),
                                             STEP(SHAKE),
                                             QUIT};
    static const struct {
        int number;
        const char *version;
    } rows[] = {{TLS1_VERSION, "TLSv1"}, {TLS1_1_VERSION, "TLSv1.1"}, {TLS1_2_VERSION, "TLSv1.2"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *old = server_context(leaf);
        struct seen_probe seen;
        assert_int_equal(SSL_CTX_set_max_proto_version(old, rows[i].number), 1);
        seen = probed_script(steps, old, LONG_MS);
        assert_int_equal(seen.result.end, SMTP_END_SECURED);
        assert_int_equal(seen.result.tls_number, rows[i].number);
        assert_string_equal(seen.result.tls_version, rows[i].version);
        SSL_CTX_free(old);
    }
}

static void says_why_nothing_listens(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sockaddr_in6 none = {.sin6_family = AF_INET6, .sin6_port = htons(25)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound but not listening: refused */
    struct seen_probe seen;

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    seen = probed_address((struct sockaddr *)&address, NULL, LONG_MS);
    assert_int_equal(seen.result.end, SMTP_END_UNREACHABLE);
    assert_int_equal(seen.result.stage, SMTP_CONNECT);
    assert_int_equal(seen.result.sys_errno, ECONNREFUSED);
    close(fd);

    /* An address that connect() refuses at once: multicast. */
    assert_int_equal(inet_pton(AF_INET6, "ff0e::1", &none.sin6_addr), 1);
    seen = probed_address((struct sockaddr *)&none, NULL, LONG_MS);
    assert_int_equal(seen.result.end, SMTP_END_UNREACHABLE);
    assert_true(seen.result.sys_errno != 0);
}

static void a_cancelled_probe_says_nothing(void **state)
{
    static const struct smtp_step steps[] = {STEP(END)};
    struct smtp_server *server = smtp_server_start(steps, NULL);
    const struct smtp_options options = {.tls = mx_trust_context(trust),
                                         .helo = "check.example",
                                         .connect_ms = LONG_MS,
                                         .reply_ms = LONG_MS,
                                         .total_ms = LONG_MS};
    struct seen_probe seen = {0};
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int n_rounds = 0; n_rounds < 2; n_rounds++) { /* before and after it is connected */
        struct smtp_probe *probe =
            smtp_probe_start(&loop, smtp_server_address(server), &options, note_result, &seen);
        for (int i = 0; i < n_rounds; i++)
            uv_run(&loop, UV_RUN_ONCE);
        smtp_probe_cancel(probe);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(seen.n_calls, 0);
    smtp_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shakes_hands_and_takes_the_chain),
        cmocka_unit_test(says_how_it_ended),
        cmocka_unit_test(bounds_the_time_of_each_step),
        cmocka_unit_test(bounds_the_whole_time),
        cmocka_unit_test(a_server_that_does_not_say_farewell_is_left),
        cmocka_unit_test(says_why_a_handshake_failed),
        cmocka_unit_test(speaks_old_versions),
        cmocka_unit_test(says_why_nothing_listens),
        cmocka_unit_test(a_cancelled_probe_says_nothing),
    };

    return cmocka_run_group_tests(tests, open_probes, close_probes);
}
