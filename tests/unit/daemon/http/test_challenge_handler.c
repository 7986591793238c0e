/* SPDX-License-Identifier: MIT */
#include "daemon/http/challenge_handler.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http/challenge_reader.h"
#include "support/asked.h"

#define PATH "/.well-known/acme-challenge/"

/* What the handler is called with. */
static struct {
    const char *elsewhere;
    struct challenge_reader *challenges;
} given;

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    (void)handler;
    challenge_handler_answer(req, (struct slice){req->input.path.base, req->input.path.len},
                             given.elsewhere, given.challenges);
    return 0;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    (void)room;
    asked_register(host, on_request);
}

static size_t read_known(const char *directory, struct slice token,
                         char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    (void)directory;
    if (!slice_eq_text(token, "known_-9"))
        return 0;
    strcpy(ret_answer, "known_-9.print");
    return strlen(ret_answer);
}

/* The disk of test_slow_disk: it answers when the test lets it. */
static sem_t may_answer;

static size_t read_slowly(const char *directory, struct slice token,
                          char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    while (sem_wait(&may_answer) != 0)
        continue;
    return read_known(directory, token, ret_answer);
}

static void ask(struct asked *asked, const char *method, const char *token)
{
    char request[512];

    snprintf(request, sizeof(request), "%s " PATH "%s HTTP/1.1\r\nHost: a\r\n\r\n", method, token);
    asked_send(asked, request);
}

static void test_here(void **state)
{
    struct asked asked;

    (void)state;
    given.elsewhere = NULL;
    given.challenges = challenge_reader_new("/", read_known, CHALLENGE_READER_TIMEOUT_MS);
    asked_open(&asked, set_handlers);
    ask(&asked, "GET", "known_-9");
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(asked.body, "known_-9.print");
    assert_string_equal(asked_field(&asked, "content-type"), "application/octet-stream");
    ask(&asked, "HEAD", "known_-9");
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(asked.body, "");
    assert_string_equal(asked_field(&asked, "content-length"), "14");
    ask(&asked, "GET", "unknown");
    assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
    assert_string_equal(asked.body, "there is no such challenge\n");
    ask(&asked, "GET", "");
    assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
    asked_close(&asked);
    assert_int_equal(challenge_reader_free(given.challenges), 0);
}

static void test_slow_disk(void **state)
{
    struct asked asked;

    (void)state;
    given.elsewhere = NULL;
    sem_init(&may_answer, 0, 0);
    given.challenges = challenge_reader_new("/", read_slowly, 10);
    asked_open(&asked, set_handlers);
    ask(&asked, "GET", "known_-9");
    assert_string_equal(asked.head, "HTTP/1.1 503 Service Unavailable");
    asked_close(&asked);
    sem_post(&may_answer);
    while (challenge_reader_free(given.challenges) != 0)
        continue;
}

static void test_elsewhere(void **state)
{
    static const char *const bad[] = {"", "a.b", "a/b", "..", "a%0d%0aSet-Cookie:b", "a?b"};
    struct asked asked;

    (void)state;
    given.elsewhere = "http://orders.provider.example:8080";
    given.challenges = NULL;
    asked_open(&asked, set_handlers);
    ask(&asked, "GET", "any_token-1");
    assert_string_equal(asked.head, "HTTP/1.1 302 Found");
    assert_string_equal(asked_field(&asked, "location"),
                        "http://orders.provider.example:8080" PATH "any_token-1");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ask(&asked, "GET", bad[i]);
        assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
        assert_string_equal(asked_field(&asked, "location"), "");
    }
    asked_close(&asked);
}

/* A reload that has turned acme: on, where a restart is needed for the reader. */
static void test_nothing_is_here(void **state)
{
    struct asked asked;

    (void)state;
    given.elsewhere = NULL;
    given.challenges = NULL;
    asked_open(&asked, set_handlers);
    ask(&asked, "GET", "known_-9");
    assert_string_equal(asked.head, "HTTP/1.1 404 Not Found");
    asked_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_here),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_nothing_is_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
