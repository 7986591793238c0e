/* SPDX-License-Identifier: MIT */
#include "daemon/confine/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/fixture.h"

enum {
    ACTION_FAILED = 1,
    NOT_TO_BE_HAD = 2,
    TEXT_MAX = 1024,
};

static const struct account account = {.name = "somebody", .uid = 1};

/* The folder of each test has a/, a/b/ and c/; the sandbox allows a/, or nothing. */
struct scene {
    char folder[32];
    char in[64], below[64], outside[64]; /* patterns of certificates */
};

static struct config config_of(struct cert_source *source, const char *pattern)
{
    *source = (struct cert_source){pattern, pattern};
    return (struct config){.control = "/control.sock",
                           .has_sandbox = true,
                           .sources = source,
                           .n_sources = pattern ? 1 : 0};
}

/* Whether the sandbox answers as wanted about a configuration with this pattern. */
static bool answers(const struct sandbox *sandbox, const char *pattern, bool wanted)
{
    struct cert_source source;
    struct config next = config_of(&source, pattern);

    return sandbox_allows(sandbox, &next, "-", stderr) == wanted;
}

static bool ask_inside(struct sandbox *sandbox, const struct scene *scene)
{
    return answers(sandbox, scene->in, true) && answers(sandbox, scene->below, true) &&
           answers(sandbox, NULL, true);
}

static bool ask_outside(struct sandbox *sandbox, const struct scene *scene)
{
    return answers(sandbox, scene->outside, false);
}

static bool explain(struct sandbox *sandbox, const struct scene *scene)
{
    (void)scene;
    sandbox_explain(sandbox, stderr);
    return true;
}

static bool watch_twice(struct sandbox *sandbox, const struct scene *scene)
{
    (void)scene;
    sandbox_watch(sandbox);
    sandbox_watch(sandbox);
    return true;
}

static bool read_files(struct sandbox *sandbox, const struct scene *scene)
{
    (void)sandbox;
    (void)scene;
    return access("/etc/passwd", F_OK) == 0 && !fopen("/etc/passwd", "re");
}

static int print_nothing(void *context, FILE *out)
{
    (void)context;
    (void)out;
    return 0;
}

static bool can_replace(const char *path)
{
    struct err err;

    return file_replace(path, 0644, print_nothing, NULL, &err) == 0 && unlink(path) == 0;
}

static bool write_state(struct sandbox *sandbox, const struct scene *scene)
{
    (void)sandbox;
    (void)scene;
    return can_replace("state/f") && mkdir("state/d", 0755) == 0 && can_replace("state/d/f") &&
           rmdir("state/d") == 0 && !can_replace("a/f") && !can_replace("c/f") && !can_replace("f");
}

static bool write_nothing(struct sandbox *sandbox, const struct scene *scene)
{
    (void)sandbox;
    (void)scene;
    return !can_replace("state/f") && !can_replace("a/f") && mkdir("state/d", 0755) != 0;
}

static void leave_alone(void)
{
}

static void replace_directory(void)
{
    assert_int_equal(rename("a", "old"), 0);
    assert_int_equal(mkdir("a", 0755), 0);
}

static void remove_directory(void)
{
    assert_int_equal(rename("a", "old"), 0);
}

/* Each in a child that has entered the sandbox. DIR stands for the folder. */
static const struct {
    const char *what;
    bool allows_files;
    void (*change)(void); /* outside, once the child has entered */
    bool (*act)(struct sandbox *sandbox, const struct scene *scene);
    const char *text;  /* that the child prints */
    const char *state; /* directory of the configuration */
} cases[] = {
    {"files below the state directory alone", true, leave_alone, write_state, "", "state"},
    {"no files where there is no state directory", true, leave_alone, write_nothing, "", NULL},
    {"other files are refused", true, leave_alone, read_files, "", NULL},
    {"the same directory, one below, none", true, leave_alone, ask_inside, "", NULL},
    {"another directory", true, leave_alone, ask_outside,
     "reload refused: the configuration needs files below 'DIR/c', which the sandbox does not "
     "allow: since the start, read access is limited to files below 'DIR/a'; restart the daemon to "
     "allow more; the previous configuration stays in use\n",
     NULL},
    {"a directory where none is allowed", false, leave_alone, ask_outside,
     "reload refused: the configuration needs files below 'DIR/c', which the sandbox does not "
     "allow: since the start, no file can be read; restart the daemon to allow more; the "
     "previous configuration stays in use\n",
     NULL},
    {"an explanation", true, leave_alone, explain,
     "sandbox: since the start, read access is limited to files below 'DIR/a'; if the file is "
     "elsewhere, restart the daemon to allow its directory\n",
     NULL},
    {"an explanation where none is allowed", false, leave_alone, explain,
     "sandbox: since the start, no file can be read; if the file is elsewhere, restart the "
     "daemon to allow its directory\n",
     NULL},
    {"nothing is replaced", true, leave_alone, watch_twice, "", NULL},
    {"a directory is gone", true, remove_directory, watch_twice, "", NULL},
    {"a directory is replaced: logged once", true, replace_directory, watch_twice,
     "mta-stsd: warning: sandbox: another directory has replaced 'DIR/a', and read access is "
     "limited to "
     "the old one; restart the daemon to allow the new one\n",
     NULL},
};

static void make_scene(struct scene *scene)
{
    strcpy(scene->folder, "/tmp/mta-stsd.XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    assert_int_equal(chdir(scene->folder), 0);
    assert_int_equal(
        mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("c", 0755) | mkdir("state", 0755), 0);
    snprintf(scene->in, sizeof(scene->in), "%s/a/{host}.pem", scene->folder);
    snprintf(scene->below, sizeof(scene->below), "%s/a/b/{host}.pem", scene->folder);
    snprintf(scene->outside, sizeof(scene->outside), "%s/c/{host}.pem", scene->folder);
}

static void remove_scene(const struct scene *scene)
{
    static const char *const directories[] = {"a/b", "a", "old/b", "old", "c", "state"};

    for (size_t i = 0; i < ARRAY_LEN(directories); i++)
        rmdir(directories[i]);
    assert_int_equal(rmdir(scene->folder), 0);
}

/* In the child: `parent` hears a byte when the sandbox is entered, and answers after its change. */
static int enter_and_act(size_t row, const struct scene *scene, int parent)
{
    struct cert_source source;
    struct config config = config_of(&source, cases[row].allows_files ? scene->in : NULL);
    struct sandbox *sandbox;
    bool is_right;
    char byte = 0;

    config.state = cases[row].state;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    dup2(parent, STDERR_FILENO); /* the sandbox does not allow it */
    log_set_level(LOG_ERROR);
    sandbox = sandbox_enter(&config, "-", &account);
    if (!sandbox)
        return NOT_TO_BE_HAD;
    if (write(parent, &byte, 1) != 1 || read(parent, &byte, 1) != 1)
        return ACTION_FAILED;
    log_set_level(LOG_WARNING);
    is_right = cases[row].act(sandbox, scene);
    sandbox_free(sandbox);
    return is_right ? 0 : ACTION_FAILED;
}

/* All that the child prints, with DIR for the folder. */
static void read_text(int child, const char *folder, char text[static TEXT_MAX])
{
    size_t len = 0;
    ssize_t n;

    while (len < TEXT_MAX - 1 && (n = read(child, text + len, TEXT_MAX - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    for (char *name = text; (name = strstr(name, folder));) {
        memmove(name + strlen("DIR"), name + strlen(folder), strlen(name + strlen(folder)) + 1);
        memcpy(name, "DIR", strlen("DIR"));
    }
}

/* Returns the status that the child exits with. */
static int run_case(size_t row, char text[static TEXT_MAX])
{
    struct scene scene;
    int pair[2], status;
    char byte = 0;
    pid_t child;

    make_scene(&scene);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    child = fork();
    if (child == 0)
        _exit(enter_and_act(row, &scene, pair[1]));
    close(pair[1]);
    if (read(pair[0], &byte, 1) == 1) {
        cases[row].change();
        assert_int_equal(write(pair[0], &byte, 1), 1);
    }
    read_text(pair[0], scene.folder, text);
    close(pair[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    remove_scene(&scene);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_cases(void **state)
{
    char text[TEXT_MAX];
    int n_failed = 0;

    (void)state;
    if (RUNNING_ON_VALGRIND) /* which does not know these system calls */
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = run_case(i, text);

        if (status == NOT_TO_BE_HAD) /* no Landlock, or an instrumented build */
            skip();
        if (status == 0 && fixture_equal(cases[i].what, cases[i].text, text))
            continue;
        print_error("row %zu, %s: exit status %d\n", i, cases[i].what, status);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

/* Without a sandbox any file may be read, and there is nothing to explain. */
static void test_off(void **state)
{
    struct cert_source source;
    struct config config = config_of(&source, "/{host}.pem");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    config.has_sandbox = false;
    log_set_level(LOG_WARNING);
    assert_null(sandbox_enter(&config, "-", &account));
    assert_true(sandbox_allows(NULL, &config, "-", out));
    sandbox_explain(NULL, out);
    sandbox_watch(NULL);
    sandbox_free(NULL);
    fclose(out);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
