/* SPDX-License-Identifier: MIT */
#include "daemon/http/policy_handler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/config.h"
#include "support/asked.h"

static char bytes[] = "version: STSv1\r\n";

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct policy_document document = {.id = "0123456789abcdef0123456789abcdef",
                                       .body = {bytes, sizeof(bytes) - 1}};

    (void)handler;
    policy_handler_answer(req, &document);
    /* As a reload would free it before the peer has read the answer. */
    memset(bytes, 'x', sizeof(bytes) - 1);
    return 0;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    (void)room;
    asked_register(host, on_request);
}

static void test_whole_body_whatever_is_asked(void **state)
{
    struct asked asked;

    (void)state;
    asked_open(&asked, set_handlers);
    asked_send(&asked, "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n"
                       "If-None-Match: \"0123456789abcdef0123456789abcdef\"\r\n"
                       "Accept-Encoding: gzip\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(asked.body, "version: STSv1\r\n");
    assert_string_equal(asked_field(&asked, "content-type"), "text/plain; charset=utf-8");
    assert_string_equal(asked_field(&asked, "content-length"), "16");
    assert_string_equal(asked_field(&asked, "cache-control"), "max-age=60");
    assert_string_equal(asked_field(&asked, "etag"), "\"0123456789abcdef0123456789abcdef\"");
    asked_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_body_whatever_is_asked)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
