/* SPDX-License-Identifier: MIT */
#include "daemon/main/site_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http/status_handler.h"
#include "daemon/main/child_schedule.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"

static const struct listen_address admin;

static void check_command(struct child_schedule *schedule, const char *option, const char *path)
{
    struct program_command command = child_schedule_command(schedule);

    assert_int_equal(command.n_texts, 5);
    assert_string_equal(strrchr(command.texts[0], '/'), "/mta-stsd-reports");
    assert_string_equal(command.texts[1], "--config");
    assert_string_equal(command.texts[2], "a.yaml");
    assert_string_equal(command.texts[3], option);
    assert_string_equal(command.texts[4], path);
    child_schedule_free(schedule);
}

static void test_site(void **state)
{
    const struct config serving = {.state = "/s", .admin = &admin};
    const struct config no_state = {.admin = &admin}, no_admin = {.state = "/s"};

    (void)state;
    check_command(site_schedule_new(&serving, "a.yaml"), "--site", "/s/" STATUS_FOLDER);
    assert_null(site_schedule_new(&no_state, "a.yaml"));
    assert_null(site_schedule_new(&no_admin, "a.yaml"));
    assert_null(site_schedule_new(&serving, "-"));
}

/* Nobody has to see the site for somebody to be told. */
static void test_conditions(void **state)
{
    const struct config telling = {.state = "/s", .n_notify = 1}, silent = {.state = "/s"};

    (void)state;
    check_command(condition_schedule_new(&telling, "a.yaml"), "--conditions",
                  "/s/" CONDITIONS_FILE);
    assert_null(condition_schedule_new(&silent, "a.yaml"));
    assert_null(condition_schedule_new(&telling, "-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_site),
        cmocka_unit_test(test_conditions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
