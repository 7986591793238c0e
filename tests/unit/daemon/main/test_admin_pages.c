/* SPDX-License-Identifier: MIT */
#include "daemon/main/admin_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/main/readiness.h"
#include "daemon/main/server_stats.h"
#include "daemon/worker/metrics.h"

static int print_page(struct admin_pages *pages, const char *path, char **ret_text)
{
    const char *type = "text/plain";
    size_t len;
    FILE *out = open_memstream(ret_text, &len);
    int status = admin_pages_print(pages, slice_of(path), &type, out);

    fclose(out);
    return status;
}

static void assert_page(struct admin_pages *pages, const char *path, int status, const char *want)
{
    char *text;

    assert_int_equal(print_page(pages, path, &text), status);
    if (!strstr(text, want))
        fail_msg("expected '%s', found '%s'", want, text);
    free(text);
}

static void test_pages(void **state)
{
    static struct metrics first, second;
    static const struct metrics *const workers[] = {&first, &second};
    struct server_stats stats = {0};
    struct readiness *readiness = readiness_new(-1);
    struct admin_pages pages = {
        .stats = &stats, .readiness = readiness, .workers = workers, .n_workers = 2};

    (void)state;
    assert_page(&pages, "/healthz", 200, "alive\n");
    assert_page(&pages, "/readyz", 503, "not ready\n");
    readiness_set_serving(readiness, 1, "");
    assert_page(&pages, "/readyz", 200, "ready\n");
    stats.n_loops_stalled = 1;
    assert_page(&pages, "/healthz", 503, "a worker is stuck\n");
    assert_page(&pages, "/readyz", 503, "not ready\n");
    first.reports[REPORT_KEPT] = 5;
    second.reports[REPORT_KEPT] = 6;
    assert_page(&pages, "/metrics", 200, "mtasts_reports_received_total{result=\"kept\"} 11\n");
    assert_page(&pages, "/metrics", 200, "mtasts_reports_spool_files 0\n");
    first.requests[METRICS_CODE_200] = 2;
    second.requests[METRICS_CODE_200] = 3;
    stats.n_reloads_refused = 4;
    assert_page(&pages, "/metrics", 200, "mtasts_http_requests_total{code=\"200\"} 5\n");
    assert_page(&pages, "/metrics", 200, "mtasts_config_reloads_total{result=\"refused\"} 4\n");
    assert_page(&pages, "/metrics", 200, "mtasts_worker_loop_stalled 1\n");
    assert_page(&pages, "/check.json", 404, "there are no results");
    assert_page(&pages, "/", 404, "there are /healthz");
    readiness_free(readiness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
