/* SPDX-License-Identifier: MIT */
#include "daemon/main/notice_desk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/notify/notice_document.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"
#include "support/folder.h"

#define HEAD "mta-stsd conditions 1\nknown\tcheck\n"

enum {
    START_S = 1700000000,
    HOUR_S = 60 * 60,
    DAY_S = 24 * HOUR_S,
    MANY = 5000,
};

static int64_t now_unix_s;
static struct domain domains[] = {{.name = "a.example"}, {.name = "b.example"}};
static struct config config;
static const char *broken; /* the domains without a certificate, with a space between two */
static const char *refusal;
static struct notice_desk *desk;

static int64_t test_unix_s(const struct clock *clock)
{
    (void)clock;
    return now_unix_s;
}

static const struct clock test_clock = {.unix_s = test_unix_s};

static void add_broken(void *context, const struct config *looked_at, struct arena *arena,
                       struct condition_list *list)
{
    struct slice rest = slice_of(broken);

    (void)context;
    (void)arena;
    assert_ptr_equal(looked_at, &config);
    list->is_known[CONDITION_CERTIFICATE] = true;
    while (rest.len > 0)
        list->conditions[list->n_conditions++] =
            (struct condition){.kind = CONDITION_CERTIFICATE,
                               .domain = slice_take_field(&rest, ' '),
                               .code = slice_of("certificate-missing"),
                               .text = slice_of("There is none."),
                               .advice = slice_of("Get one.")};
}

static int look(struct notice_task *ret_task, struct err *err)
{
    const struct notice_look with = {.config = &config, .gather = add_broken, .refusal = refusal};

    return notice_desk_look(desk, &with, ret_task, err);
}

/* Looks; there must be so many notices, of this kind. */
static void expect(size_t n_notices, bool is_digest)
{
    struct notice_task task;
    struct err err;

    if (look(&task, &err) != 0)
        fail_msg("%s", err.msg);
    if (task.n_notices != n_notices || task.is_digest != is_digest)
        fail_msg("expected %zu notices%s, found %zu%s", n_notices, is_digest ? " of a digest" : "",
                 task.n_notices, task.is_digest ? " of a digest" : "");
}

static void expect_failure(const char *text)
{
    struct notice_task task;
    struct err err;

    assert_int_equal(look(&task, &err), -1);
    if (!strstr(err.msg, text))
        fail_msg("expected '%s', found '%s'", text, err.msg);
}

static void accept_all(void)
{
    struct err err;

    if (notice_desk_accept(desk, &config, &err) != 0)
        fail_msg("%s", err.msg);
}

static void restart(void)
{
    notice_desk_free(desk);
    desk = notice_desk_new(folder_root, &test_clock);
}

static struct rlimit disk_before;

/* Every write to a file fails, until disk_empty(). */
static void disk_fill(void)
{
    struct rlimit none;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &disk_before), 0);
    none = disk_before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static void disk_empty(void)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &disk_before), 0);
}

static int set_up(void **state)
{
    (void)state;
    config = (struct config){
        .domains = domains, .n_domains = ARRAY_LEN(domains), .notify_cooldown_s = HOUR_S};
    now_unix_s = START_S;
    broken = "";
    refusal = NULL;
    folder_open();
    desk = notice_desk_new(folder_root, &test_clock);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    notice_desk_free(desk);
    folder_close();
    return 0;
}

/* What the first look finds is known, and no news, after a restart too. */
static void test_first_look(void **state)
{
    struct stat status;

    (void)state;
    broken = "a.example";
    expect(0, false);
    assert_int_equal(stat(folder_path(NOTICES_FILE), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    restart();
    expect(0, false);
    broken = "b.example a.example";
    expect(1, false);
    folder_expect(NOTICE_DOCUMENT, "\"domain\": \"b.example\"");
    folder_expect(NOTICE_DOCUMENT, "1 condition began");
    accept_all();
    broken = "b.example";
    expect(1, false);
    folder_expect(NOTICE_DOCUMENT, "1 condition ended");
}

/* What was not accepted is collected again, with what has come and without what has gone. */
static void test_not_accepted(void **state)
{
    (void)state;
    expect(0, false);
    broken = "a.example";
    expect(1, false);
    expect(1, false);
    restart();
    expect(1, false);
    broken = "a.example b.example";
    expect(2, false);
    broken = "";
    expect(0, false);
}

/* The news come first; the look after has the digest, with the news in it. */
static void test_digest_with_news(void **state)
{
    (void)state;
    config.notify_digest_s = DAY_S;
    broken = "a.example";
    expect(0, false);
    now_unix_s += NOTICE_FIRST_DIGEST_S;
    broken = "a.example b.example";
    expect(1, false);
    assert_int_equal(folder_count(NOTICE_DOCUMENT, "digest"), 0);
    accept_all();
    expect(2, true);
    folder_expect(NOTICE_DOCUMENT, "digest: 2 open, ");
    restart(); /* it was not accepted */
    expect(2, true);
    accept_all();
    expect(0, false);
    now_unix_s += DAY_S;
    expect(2, true);
}

/* A digest without anything in it is not told, and not due again. */
static void test_empty_digest(void **state)
{
    (void)state;
    config.notify_digest_s = DAY_S;
    expect(0, false);
    now_unix_s += NOTICE_FIRST_DIGEST_S;
    expect(0, false);
    broken = "a.example";
    expect(1, false);
    accept_all();
    expect(0, false);
    assert_true(folder_has(NOTICE_DOCUMENT));
}

static void test_damaged_book(void **state)
{
    static const char *const books[] = {
        "",
        "\n",
        "\xff\xfe",
        "mta-stsd notices 1\n",
        "mta-stsd notices 2\ndigest\t0\n",
        "mta-stsd notices 1\ndigest\t-1\n",
        "mta-stsd notices 1\ndigest\t0\nseen\tnothing\n",
        "mta-stsd notices 1\ndigest\t0\nopen\tcertificate\ta.example\tx\t0\t0\t0\n",
        "mta-stsd notices 1\ndigest\t0\nopen\tcertificate\ta.example\tx\t0\t1\t0\ttold\n",
        "mta-stsd notices 1\ndigest\t0\nopen\tcertificate\ta.example\tx\t0\t0\t0\ttold",
    };

    (void)state;
    broken = "a.example";
    for (size_t i = 0; i < ARRAY_LEN(books); i++) {
        folder_write(NOTICES_FILE, books[i]);
        restart();
        expect(0, false);
        folder_expect(NOTICES_FILE, "open\tcertificate\ta.example\tcertificate-missing\t");
        restart();
        expect(0, false);
    }
    assert_int_equal(unlink(folder_path(NOTICES_FILE)), 0);
    assert_int_equal(mkfifo(folder_path(NOTICES_FILE), 0600), 0);
    restart();
    expect(0, false); /* nobody waits for who writes to it */
    folder_expect(NOTICES_FILE, "seen\tcertificate\n");
}

/* A book that is known and was not written is written by the next look that can. */
static void test_full_disk(void **state)
{
    (void)state;
    broken = "a.example";
    disk_fill();
    expect_failure("cannot be written");
    disk_empty();
    assert_false(folder_has(NOTICES_FILE));
    expect(0, false);
    folder_expect(NOTICES_FILE, "open\tcertificate\ta.example\t");

    broken = "";
    disk_fill();
    expect_failure("cannot be written");
    disk_empty();
    expect(1, false);
    accept_all();
    restart();
    expect(0, false);
}

/* It was told: what cannot be kept of that is kept by the next look. */
static void test_full_disk_after_delivery(void **state)
{
    struct err err;

    (void)state;
    expect(0, false);
    broken = "a.example";
    expect(1, false);
    disk_fill();
    assert_int_equal(notice_desk_accept(desk, &config, &err), -1);
    assert_non_null(strstr(err.msg, NOTICES_FILE));
    disk_empty();
    expect(0, false);
    restart();
    expect(0, false);
}

static void test_directory_that_goes(void **state)
{
    char away[sizeof(folder_root) + 8];

    (void)state;
    expect(0, false);
    broken = "a.example";
    snprintf(away, sizeof(away), "%s.away", folder_root);
    assert_int_equal(rename(folder_root, away), 0);
    expect_failure("cannot be made");
    assert_int_equal(rename(away, folder_root), 0);
    expect(1, false);
}

/* Nothing is taken of a list that cannot be read, so nothing has ended by that. */
static void test_damaged_conditions(void **state)
{
    (void)state;
    folder_write(CONDITIONS_FILE, HEAD "open\tcheck\ta.example\tx\ttext\tadvice\n");
    expect(0, false);
    folder_write(CONDITIONS_FILE, HEAD "open\tcheck\ta.example\tx\n");
    expect_failure("/" CONDITIONS_FILE "': line 3 is damaged");
    assert_int_equal(unlink(folder_path(CONDITIONS_FILE)), 0);
    expect(0, false);
    folder_write(CONDITIONS_FILE, HEAD);
    expect(1, false);
    folder_expect(NOTICE_DOCUMENT, "1 condition ended");
}

static void test_refusal(void **state)
{
    (void)state;
    expect(0, false);
    refusal = "a \"quote\",\ta tab, \xc3 and \x01";
    expect(1, false);
    folder_expect(NOTICE_DOCUMENT, "\"text\": \"a \\\"quote\\\",\\u0009a tab, \\ufffd and ");
    folder_expect(NOTICE_DOCUMENT, "\"domain\": null");
    accept_all();
    refusal = "another reason";
    expect(0, false);
    refusal = NULL;
    expect(1, false);
}

static void test_recheck(void **state)
{
    struct notice_task task;
    struct err err;

    (void)state;
    folder_write(CONDITIONS_FILE, HEAD "recheck\t1700000123\n");
    assert_int_equal(look(&task, &err), 0);
    assert_int_equal(task.recheck_unix_s, 1700000123);
    folder_write(CONDITIONS_FILE, HEAD);
    assert_int_equal(look(&task, &err), 0);
    assert_int_equal(task.recheck_unix_s, 0);
}

/* Each in the file twice, and in no order. */
static void test_many(void **state)
{
    char left_out[32], *text = NULL;
    size_t len;
    FILE *out;

    (void)state;
    folder_write(CONDITIONS_FILE, HEAD);
    expect(0, false);
    out = open_memstream(&text, &len);
    fputs(HEAD, out);
    for (int i = 0; i < 2 * MANY; i++)
        fprintf(out, "open\tcheck\ta.example\tcode-%d\ttext\tadvice\n", i * 7919 % MANY);
    fclose(out);
    folder_write(CONDITIONS_FILE, text);
    free(text);
    expect(MANY, false);
    snprintf(left_out, sizeof(left_out), "\"left_out\": %d\n", MANY - NOTICE_DOCUMENT_MAX);
    folder_expect(NOTICE_DOCUMENT, left_out);
    accept_all();
    restart();
    expect(0, false);
    folder_write(CONDITIONS_FILE, HEAD);
    expect(MANY, false);
}

/* Its conditions neither end nor come into a digest. */
static void test_domain_that_leaves(void **state)
{
    (void)state;
    broken = "b.example";
    expect(0, false);
    config.n_domains = 1;
    broken = "";
    expect(0, false);
    assert_int_equal(folder_count(NOTICES_FILE, "b.example"), 0);
}

/* What was to be told is told after it. */
static void test_test(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(notice_desk_open(desk, &err), -1);
    assert_non_null(strstr(err.msg, NOTICE_DOCUMENT "' cannot be read"));
    expect(0, false);
    broken = "a.example";
    expect(1, false);
    assert_int_equal(notice_desk_write_test(desk, &err), 0);
    folder_expect(NOTICE_DOCUMENT, "\"event\": \"test\"");
    assert_int_equal(folder_count(NOTICE_DOCUMENT, "began"), 0);
    expect(1, false);
    folder_expect(NOTICE_DOCUMENT, "1 condition began");
    disk_fill();
    assert_int_equal(notice_desk_write_test(desk, &err), -1);
    disk_empty();
}

/* The clock was ahead by years while something was told, and is right again. */
static void test_clock_that_was_ahead(void **state)
{
    (void)state;
    config.notify_digest_s = DAY_S;
    expect(0, false);
    now_unix_s = START_S + 5000 * (int64_t)DAY_S;
    broken = "a.example";
    expect(1, false);
    accept_all();
    expect(1, true);
    accept_all();
    now_unix_s = START_S;
    broken = "";
    expect(1, false);
    accept_all();
    now_unix_s += HOUR_S;
    broken = "a.example";
    expect(1, false); /* the cooldown is over */
    accept_all();
    now_unix_s += DAY_S;
    expect(1, true);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_FOLDER(test_first_look),
        IN_FOLDER(test_not_accepted),
        IN_FOLDER(test_digest_with_news),
        IN_FOLDER(test_empty_digest),
        IN_FOLDER(test_damaged_book),
        IN_FOLDER(test_full_disk),
        IN_FOLDER(test_full_disk_after_delivery),
        IN_FOLDER(test_directory_that_goes),
        IN_FOLDER(test_damaged_conditions),
        IN_FOLDER(test_refusal),
        IN_FOLDER(test_recheck),
        IN_FOLDER(test_many),
        IN_FOLDER(test_domain_that_leaves),
        IN_FOLDER(test_test),
        IN_FOLDER(test_clock_that_was_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
