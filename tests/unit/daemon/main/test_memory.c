/* SPDX-License-Identifier: MIT */
#include "daemon/main/memory.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* Writes a file below `root`, with the folders that lead to it. */
static void write_file(const char *root, const char *path, const char *text)
{
    char whole[PATH_MAX];
    FILE *out;

    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    out = fopen(whole, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void remove_tree(const char *root)
{
    char command[PATH_MAX + 16];

    snprintf(command, sizeof(command), "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
}

struct file {
    const char *path, *text;
};

static void test_cgroups(void **state)
{
    static const struct {
        const char *name;
        struct file files[4];
        uint64_t available; /* UINT64_MAX: the machine's */
    } rows[] = {
        {"no cgroup", {{"/proc/other", ""}}, UINT64_MAX},
        {"v2", {{"/proc/self/cgroup", "0::/a\n"}, {"/sys/fs/cgroup/a/memory.max", "4096\n"}}, 4096},
        {"v2 without a limit",
         {{"/proc/self/cgroup", "0::/a\n"}, {"/sys/fs/cgroup/a/memory.max", "max\n"}},
         UINT64_MAX},
        {"the parent's is less",
         {{"/proc/self/cgroup", "0::/a/b\n"},
          {"/sys/fs/cgroup/a/b/memory.max", "8192\n"},
          {"/sys/fs/cgroup/a/memory.max", "4096\n"}},
         4096},
        {"the root of a container",
         {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/memory.max", "4096\n"}},
         4096},
        {"a path of the host's",
         {{"/proc/self/cgroup", "4:memory:/docker/0123\n"},
          {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n"}},
         4096},
        {"v1 beside others",
         {{"/proc/self/cgroup", "5:cpu:/x\n4:memory:/a\n0::/\n"},
          {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n"}},
         4096},
        {"v1 without a limit",
         {{"/proc/self/cgroup", "4:memory:/\n"},
          {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
         UINT64_MAX},
        {"no lines", {{"/proc/self/cgroup", "memory\n::\n\n"}}, UINT64_MAX},
    };
    char empty[] = "/tmp/test-memory-XXXXXX";
    uint64_t machine;
    size_t n_failed = 0;

    (void)state;
    assert_non_null(mkdtemp(empty));
    machine = memory_available(empty);
    assert_true(machine > 1024 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t wanted = rows[i].available == UINT64_MAX ? machine : rows[i].available, seen;
        char root[] = "/tmp/test-memory-XXXXXX";

        assert_non_null(mkdtemp(root));
        for (size_t j = 0; j < ARRAY_LEN(rows[i].files) && rows[i].files[j].path; j++)
            write_file(root, rows[i].files[j].path, rows[i].files[j].text);
        seen = memory_available(root);
        remove_tree(root);
        if (seen != wanted) {
            print_error("row %zu (%s): %llu bytes, wanted %llu\n", i, rows[i].name,
                        (unsigned long long)seen, (unsigned long long)wanted);
            n_failed++;
        }
    }
    assert_int_equal(rmdir(empty), 0);
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cgroups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
