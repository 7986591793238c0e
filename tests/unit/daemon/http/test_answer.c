/* SPDX-License-Identifier: MIT */
#include "daemon/http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/asked.h"

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    (void)handler;
    if (h2o_memis(req->input.path.base, req->input.path.len, H2O_STRLIT("/bytes")))
        answer_bytes(req, 200, "OK", "application/octet-stream", h2o_strdup(&req->pool, "a\0b", 3));
    else
        answer_text(req, 404, "Not Found", "no such thing\n");
    return 0;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    (void)room;
    asked_register(host, on_request);
}

static void test_answers(void **state)
{
    struct asked asked;

    (void)state;
    asked_open(&asked, set_handlers);
    asked_send(&asked, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
    assert_string_equal(asked_field(&asked, "content-type"), "text/plain; charset=utf-8");
    assert_string_equal(asked_field(&asked, "content-length"), "14");
    assert_string_equal(asked.body, "no such thing\n");
    asked_send(&asked, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
    assert_string_equal(asked_field(&asked, "content-length"), "14");
    assert_string_equal(asked.body, "");
    asked_send(&asked, "GET /bytes HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(asked_field(&asked, "content-type"), "application/octet-stream");
    assert_memory_equal(asked.body, "a\0b", 4);
    asked_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
