/* SPDX-License-Identifier: MIT */
#include "lib/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"

struct capture {
    FILE *file;
    int stderr_fd; /* where standard error went before */
};

static struct capture capture_begin(void)
{
    struct capture capture = {tmpfile(), dup(STDERR_FILENO)};

    assert_non_null(capture.file);
    assert_int_equal(dup2(fileno(capture.file), STDERR_FILENO), STDERR_FILENO);
    return capture;
}

static size_t capture_end(struct capture capture, char *ret_text, size_t size)
{
    size_t len;

    dup2(capture.stderr_fd, STDERR_FILENO);
    close(capture.stderr_fd);
    rewind(capture.file);
    len = fread(ret_text, 1, size - 1, capture.file);
    ret_text[len] = '\0';
    fclose(capture.file);
    return len;
}

static void test_level_name(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_ERROR), "error");
    assert_string_equal(log_level_name(LOG_WARNING), "warning");
    assert_string_equal(log_level_name(LOG_INFO), "info");
    assert_string_equal(log_level_name(LOG_DEBUG), "debug");
}

/* First of the tests: the level has not been set yet. */
static void test_threshold(void **state)
{
    static const struct {
        int level; /* -1: as the program starts */
        const char *want;
    } rows[] = {
        {-1, "mta-stsd: error: e1\nmta-stsd: warning: w\nmta-stsd: info: i\n"},
        {LOG_ERROR, "mta-stsd: error: e1\n"},
        {LOG_WARNING, "mta-stsd: error: e1\nmta-stsd: warning: w\n"},
        {LOG_INFO, "mta-stsd: error: e1\nmta-stsd: warning: w\nmta-stsd: info: i\n"},
        {LOG_DEBUG, "mta-stsd: error: e1\nmta-stsd: warning: w\nmta-stsd: info: i\n"
                    "mta-stsd: debug: d\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct capture capture = capture_begin();
        char seen[256];

        if (rows[i].level >= 0)
            log_set_level((enum log_level)rows[i].level);
        log_line(LOG_ERROR, "%s%d", "e", 1);
        log_line(LOG_WARNING, "w");
        log_line(LOG_INFO, "i");
        log_line(LOG_DEBUG, "d");
        capture_end(capture, seen, sizeof(seen));
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want, seen);
    }
}

static void test_long_line_is_cut(void **state)
{
    struct capture capture = capture_begin();
    char seen[8192];
    size_t len;

    (void)state;
    log_line(LOG_ERROR, "%*s", 5000, "x");
    len = capture_end(capture, seen, sizeof(seen));
    assert_int_equal(len, strlen("mta-stsd: error: ") + 2047 + 1);
    assert_int_equal(seen[len - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_level_name),
        cmocka_unit_test(test_long_line_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
