/* SPDX-License-Identifier: MIT */
#include "daemon/http/admin_handler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/asked.h"

static int print_page(void *context, struct slice path, const char **ret_type, FILE *out)
{
    fprintf(out, "%s of %.*s\n", (const char *)context, (int)path.len, path.ptr);
    if (slice_eq_text(path, "/typed")) {
        *ret_type = "text/html";
        return 200;
    }
    if (slice_eq_text(path, "/ill"))
        return 503;
    return slice_eq_text(path, "/well") ? 200 : 404;
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    static char context[] = "page";

    (void)handler;
    admin_handler_answer(req, (struct slice){req->input.path.base, req->input.path.len}, print_page,
                         context);
    return 0;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    (void)room;
    asked_register(host, on_request);
}

static void test_pages(void **state)
{
    static const struct {
        const char *path, *head, *type, *body;
    } rows[] = {
        {"/well", "HTTP/1.1 200 OK", "text/plain; charset=utf-8", "page of /well\n"},
        {"/typed", "HTTP/1.1 200 OK", "text/html", "page of /typed\n"},
        {"/ill", "HTTP/1.1 503 Service Unavailable", "text/plain; charset=utf-8", "page of /ill\n"},
        {"/", "HTTP/1.1 404 Not Found", "text/plain; charset=utf-8", "page of /\n"},
    };
    struct asked asked;

    (void)state;
    asked_open(&asked, set_handlers);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char request[100];

        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", rows[i].path);
        asked_send(&asked, request);
        if (strcmp(asked.head, rows[i].head) != 0 || strcmp(asked.body, rows[i].body) != 0 ||
            strcmp(asked_field(&asked, "content-type"), rows[i].type) != 0)
            fail_msg("row %zu: seen %s, %s", i, asked.head, asked.body);
    }
    asked_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
