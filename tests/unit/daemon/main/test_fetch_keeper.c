/* SPDX-License-Identifier: MIT */
#include "daemon/main/fetch_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/worker/log_record.h"

enum {
    EVERY_MS = 10,
};

struct kept {
    uv_loop_t loop;
    char directory[64], path[80];
    struct fetch_keeper *keeper;
    _Atomic uint64_t n_failures;
    unsigned n_written;
};

static void on_written(void *context)
{
    struct kept *kept = context;

    kept->n_written++;
}

static void kept_open(struct kept *kept, const char *below)
{
    *kept = (struct kept){.directory = "/tmp/fetch-keeper-XXXXXX"};
    assert_non_null(mkdtemp(kept->directory));
    strcat(kept->directory, below);
    snprintf(kept->path, sizeof(kept->path), "%s/fetches", kept->directory);
    assert_int_equal(uv_loop_init(&kept->loop), 0);
    kept->keeper =
        fetch_keeper_new(&(struct fetch_keeper_options){.loop = &kept->loop,
                                                        .state_directory = kept->directory,
                                                        .every_ms = EVERY_MS,
                                                        .on_written = on_written,
                                                        .context = kept,
                                                        .n_failures = &kept->n_failures});
}

static void kept_add(struct kept *kept, const char *host)
{
    struct log_record record = {.kind = LOG_RECORD_REQUEST,
                                .method = "GET",
                                .path = "/.well-known/mta-sts.txt",
                                .status = 200};

    strcpy(record.server, host);
    fetch_keeper_add(kept->keeper, &record);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    uv_close(handle, NULL);
}

static void kept_end(struct kept *kept)
{
    fetch_keeper_stop(kept->keeper);
    uv_walk(&kept->loop, close_handle, NULL);
    uv_run(&kept->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&kept->loop), 0);
    fetch_keeper_free(kept->keeper);
}

static bool file_has(const char *path, const char *text)
{
    char bytes[512] = "";
    FILE *in = fopen(path, "re");

    if (!in)
        return false;
    bytes[fread(bytes, 1, sizeof(bytes) - 1, in)] = '\0';
    fclose(in);
    return strstr(bytes, text) != NULL;
}

/* Until somebody has taken the file, what comes later stays in memory. */
static void test_hands_over(void **state)
{
    struct kept kept;

    (void)state;
    kept_open(&kept, "");
    assert_int_equal(kept.n_written, 0);
    kept_add(&kept, "mta-sts.a.example");
    while (kept.n_written < 1)
        uv_run(&kept.loop, UV_RUN_ONCE);
    assert_true(file_has(kept.path, "\na.example none 1 "));
    kept_add(&kept, "mta-sts.b.example");
    kept_add(&kept, "mta-sts.b.example");
    while (kept.n_written < 4)
        uv_run(&kept.loop, UV_RUN_ONCE);
    assert_false(file_has(kept.path, "b.example"));
    assert_int_equal(unlink(kept.path), 0);
    while (!file_has(kept.path, "\nb.example none 2 "))
        uv_run(&kept.loop, UV_RUN_ONCE);
    assert_false(file_has(kept.path, "a.example"));
    assert_int_equal(kept.n_failures, 0);
    kept_end(&kept);
    unlink(kept.path);
    rmdir(kept.directory);
}

static void test_at_the_end(void **state)
{
    struct kept kept;

    (void)state;
    kept_open(&kept, "");
    kept_add(&kept, "mta-sts.a.example");
    kept_end(&kept);
    assert_true(file_has(kept.path, "\na.example none 1 "));
    unlink(kept.path);
    rmdir(kept.directory);
}

/* A file that nobody has taken before the start is said again. */
static void test_left_over(void **state)
{
    struct kept kept, next;
    FILE *out;

    (void)state;
    kept_open(&kept, "");
    out = fopen(kept.path, "we");
    assert_non_null(out);
    fclose(out);
    next = (struct kept){.n_written = 0};
    uv_loop_init(&next.loop);
    next.keeper = fetch_keeper_new(&(struct fetch_keeper_options){.loop = &next.loop,
                                                                  .state_directory = kept.directory,
                                                                  .every_ms = EVERY_MS,
                                                                  .on_written = on_written,
                                                                  .context = &next,
                                                                  .n_failures = &next.n_failures});
    assert_int_equal(next.n_written, 1);
    kept_end(&next);
    kept_end(&kept);
    unlink(kept.path);
    rmdir(kept.directory);
}

static void test_no_directory(void **state)
{
    struct kept kept;

    (void)state;
    kept_open(&kept, "/missing");
    kept_add(&kept, "mta-sts.a.example");
    while (kept.n_failures < 2)
        uv_run(&kept.loop, UV_RUN_ONCE);
    assert_int_equal(kept.n_written, 0);
    kept_end(&kept);
    fetch_keeper_add(NULL, NULL);
    fetch_keeper_stop(NULL);
    fetch_keeper_free(NULL);
    *strrchr(kept.directory, '/') = '\0';
    rmdir(kept.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hands_over),
        cmocka_unit_test(test_at_the_end),
        cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
