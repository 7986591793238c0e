/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/confine/privileges.h"
#include "lib/acme/challenge.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

#define HOST "mta-sts.a.example"

static char directory[64];

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static struct acme_settings settings = {.directory = "https://ca.example/dir", .has_orders = true};
static struct config config = {.acme = &settings, .state = directory};

static struct acme_commands *commands_new(void)
{
    struct acme_commands *commands;
    struct err err;

    if (acme_commands_new(&config, "a.yaml", &commands, &err) != 0)
        fail_msg("%s", err.msg);
    return commands;
}

/* The texts of a command, with spaces between them. */
static const char *joined(const struct program_command *command)
{
    static char text[2048];

    text[0] = '\0';
    for (size_t i = 0; i < command->n_texts; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i == 0 ? "" : " ",
                 command->texts[i]);
    return text;
}

static void test_nothing_is_ordered(void **state)
{
    struct acme_settings none = {.directory = "https://ca.example/dir"};
    struct config without = {.state = directory};
    struct program_commands programs = {0};
    struct acme_commands *commands;
    struct err err;

    (void)state;
    assert_int_equal(acme_commands_new(&without, "a.yaml", &commands, &err), 0);
    assert_null(commands);
    without.acme = &none;
    assert_int_equal(acme_commands_new(&without, "a.yaml", &commands, &err), 0);
    assert_null(commands);
    assert_int_equal(acme_commands_new(&config, "-", &commands, &err), 0);
    assert_null(commands);
    acme_commands_set(NULL, &programs);
    assert_int_equal(programs.of[ACME_ORDER].n_texts, 0);
    acme_commands_free(NULL);
}

static void test_texts(void **state)
{
    struct program_commands programs = {0};
    struct acme_commands *commands = commands_new();
    char wanted[512];

    (void)state;
    acme_commands_set(commands, &programs);
    snprintf(wanted, sizeof(wanted),
             "/usr/bin/uacme --acme-url https://ca.example/dir --confdir %s/acme/account "
             "--never-create --yes new",
             directory);
    assert_string_equal(joined(&programs.of[ACME_ACCOUNT]), wanted);
    assert_non_null(strstr(joined(&programs.of[ACME_ORDER]), "/mta-stsd-acme-hook --"));
    /* A host's name can be no option. */
    assert_true(slice_ends_with(slice_of(joined(&programs.of[ACME_ORDER])), " -- issue"));
    assert_true(slice_ends_with(slice_of(joined(&programs.of[ACME_READY])),
                                "/mta-stsd-check --config a.yaml --acme-ready --"));
    assert_string_equal(getenv(CHALLENGE_DIRECTORY_VARIABLE), path_of("challenges"));
    assert_null(acme_commands_binding(commands));
    acme_commands_free(commands);
    settings.account_email = "a@b.example";
    commands = commands_new();
    acme_commands_set(commands, &programs);
    assert_true(slice_ends_with(slice_of(joined(&programs.of[ACME_ACCOUNT])), " new a@b.example"));
    acme_commands_free(commands);
    settings.account_email = NULL;
}

static void test_bindings(void **state)
{
    static const struct {
        const char *text, *binding; /* NULL: refused */
    } rows[] = {
        {"kid:key\n", "--eab=kid:key"},
        {" kid:key:x ", "--eab=kid:key:x"},
        {"", NULL},
        {"kid", NULL},
        {":key", NULL},
        {"kid:", NULL},
        {"kid:key\nkid:key\n", NULL},
        {"kid :key", NULL},
    };
    static char path[128];
    struct acme_commands *none;
    struct err err;

    (void)state;
    snprintf(path, sizeof(path), "%s/eab", directory);
    settings.eab_path = path;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct acme_commands *commands = NULL;
        int result;

        write_file("eab", rows[i].text);
        result = acme_commands_new(&config, "a.yaml", &commands, &err);
        if ((result == 0) != (rows[i].binding != NULL) ||
            (result == 0 && strcmp(acme_commands_binding(commands), rows[i].binding) != 0))
            fail_msg("row %zu: %d", i, result);
        acme_commands_free(commands);
    }
    unlink(path);
    assert_int_equal(acme_commands_new(&config, "a.yaml", &none, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    settings.eab_path = NULL;
}

static unsigned mode_of(const char *name)
{
    struct stat status;

    assert_int_equal(stat(path_of(name), &status), 0);
    return status.st_mode & 0777;
}

static void test_directories(void **state)
{
    struct acme_commands *commands = commands_new();
    const struct account account = {0};
    struct err err;

    (void)state;
    assert_int_equal(acme_commands_make_directories(commands, &account, &err), 0);
    assert_int_equal(mode_of("acme"), 0700);
    assert_int_equal(mode_of("challenges"), 0700);
    assert_int_equal(mode_of("certificates"), 0755);
    assert_int_equal(acme_commands_prepare_host(commands, HOST, &err), 0);
    assert_int_equal(acme_commands_prepare_host(commands, HOST, &err), 0);
    assert_int_equal(mode_of("acme/account/private/" HOST "/key.pem"), 0600);
    assert_false(acme_commands_has_result(commands, HOST));
    write_file("acme/account/" HOST "/cert.pem", "x");
    assert_true(acme_commands_has_result(commands, HOST));
    acme_commands_clean_host(commands, HOST);
    assert_false(acme_commands_has_result(commands, HOST));
    /* Without the authority's name a certificate may be of any. */
    write_file("acme/account/" HOST "/cert.pem", "x");
    assert_false(acme_commands_has_result(commands, HOST));
    acme_commands_clean_host(commands, HOST);
    assert_string_equal(acme_commands_note(commands), "https://ca.example/dir\n");
    assert_true(acme_commands_is_current(commands, HOST)); /* nothing says that it is not */
    assert_int_equal(mkdir(path_of("certificates/" HOST), 0755), 0);
    write_file("certificates/" HOST "/directory", "https://ca.example/dir\n");
    assert_true(acme_commands_is_current(commands, HOST));
    write_file("certificates/" HOST "/directory", "https://staging.ca.example/dir\n");
    assert_false(acme_commands_is_current(commands, HOST));
    assert_int_not_equal(access(path_of("acme/account/" HOST "/cert.pem"), F_OK), 0);
    assert_int_equal(access(path_of("acme/account/private/" HOST "/key.pem"), F_OK), 0);
    acme_commands_free(commands);
}

/* Of two daemons with one state: the first orders, until it ends. */
static void test_one_at_a_time(void **state)
{
    struct acme_commands *first = commands_new(), *second = commands_new();
    const struct account account = {0};
    struct err err;

    (void)state;
    assert_int_equal(acme_commands_make_directories(first, &account, &err), 0);
    assert_int_equal(acme_commands_make_directories(second, &account, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "/acme' is in use by another mta-stsd; each one needs a "
                                    "state: of its own"));
    acme_commands_free(second);
    acme_commands_free(first);
    second = commands_new();
    assert_int_equal(acme_commands_make_directories(second, &account, &err), 0);
    acme_commands_free(second);
}

/* What orders that were under way leave when all is killed; what is whole stays. */
static void test_clean(void **state)
{
    static const char *const strays[] = {"challenges/token", "certificates/.new-" HOST "/key.pem"};
    static const char *const whole[] = {"acme/orders", "acme/account/private/key.pem",
                                        "certificates/" HOST "/directory"};
    struct acme_commands *commands = commands_new();
    char certificates[256];
    struct err err;

    (void)state;
    assert_int_equal(mkdir(path_of("certificates/.new-" HOST), 0755), 0);
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        write_file(strays[i], "x");
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        write_file(whole[i], "x");
    assert_int_equal(acme_commands_clean(commands, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        if (access(path_of(strays[i]), F_OK) == 0)
            fail_msg("%s", strays[i]);
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (access(path_of(whole[i]), F_OK) != 0)
            fail_msg("%s", whole[i]);
    assert_int_not_equal(access(path_of("certificates/.new-" HOST), F_OK), 0);
    snprintf(certificates, sizeof(certificates), "%s", path_of("certificates"));
    assert_int_equal(rename(certificates, path_of("elsewhere")), 0);
    assert_int_equal(acme_commands_clean(commands, &err), -1);
    assert_int_equal(rename(path_of("elsewhere"), certificates), 0);
    acme_commands_free(commands);
}

static void test_no_state_directory(void **state)
{
    struct config elsewhere = {.acme = &settings, .state = "/none/state"};
    const struct account account = {0};
    struct acme_commands *commands;
    struct err err;

    (void)state;
    assert_int_equal(acme_commands_new(&elsewhere, "a.yaml", &commands, &err), 0);
    assert_int_equal(acme_commands_make_directories(commands, &account, &err), -1);
    assert_non_null(strstr(err.msg, "/none/state/acme"));
    acme_commands_free(commands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_ordered), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_bindings),           cmocka_unit_test(test_directories),
        cmocka_unit_test(test_one_at_a_time),      cmocka_unit_test(test_clean),
        cmocka_unit_test(test_no_state_directory),
    };
    char command[96];
    int result;

    umask(022);
    snprintf(directory, sizeof(directory), "/tmp/acme-XXXXXX");
    if (!mkdtemp(directory))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command) == 0 ? result : 1;
}
