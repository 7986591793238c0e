/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/diag/diag.h"
#include "lib/import/import_files.h"
#include "lib/import/import_finding.h"
#include "lib/import/import_set.h"
#include "lib/import/import_yaml.h"
#include "lib/policy/policy.h"

struct import_run {
    const struct options *options;
    struct import_files *files;
    struct import_set *set;
    struct arena *arena; /* of one file's bytes */
    struct diag *diag;
};

static void import_take_file(struct import_run *run, const struct import_file *file)
{
    struct slice body;
    struct err err;

    arena_reset(run->arena);
    if (file_read(file->path, POLICY_FETCH_MAX, run->arena, &body, &err) == 0)
        import_set_add(run->set, file, body, run->diag);
    else if (file->look != IMPORT_LOOKS_LIKELY || err.code == ERR_IO)
        diag_add(run->diag, err.code == ERR_LIMIT ? IMPORT_TOO_MUCH : IMPORT_UNREADABLE,
                 (struct place){.file = file->shown}, NULL, "the file %s", err.msg);
}

/* The one path whose domain --domain names: a file, or "-". */
static enum exit_status import_take_named(struct import_run *run)
{
    const char *path = run->options->arguments[0];
    struct import_file file = {.path = path, .shown = path, .look = IMPORT_LOOKS_CERTAIN};
    char name[DNS_NAME_MAX + 1];
    struct err err;

    if (run->options->n_domains != 1 || run->options->n_arguments != 1)
        return cli_fail(STATUS_USAGE, "--domain names the domain of one file; give one of each");
    if (dns_name_parse(slice_of(run->options->domains[0]), name, NULL, &err) != 0)
        return cli_fail(STATUS_USAGE, "'%s' %s", run->options->domains[0], err.msg);
    if (!strchr(name, '.'))
        return cli_fail(STATUS_USAGE, "'%s' is no domain; write one like example.com", name);
    if (strcmp(path, "-") == 0)
        file.shown = "standard input";
    file.domain = name;
    import_take_file(run, &file);
    return STATUS_GOOD;
}

static enum exit_status import_take_paths(struct import_run *run)
{
    const struct options *options = run->options;
    const struct import_file *list;
    struct err err;
    size_t n;

    if (options->n_domains > 0)
        return import_take_named(run);
    for (size_t i = 0; i < options->n_arguments; i++) {
        if (strcmp(options->arguments[i], "-") == 0)
            return cli_fail(STATUS_USAGE, "standard input has no name; add --domain DOMAIN");
        if (import_files_add(run->files, options->arguments[i], run->diag, &err) != 0)
            return cli_fail(STATUS_FAILED, "%s %s", options->arguments[i], err.msg);
    }
    list = import_files_list(run->files, &n);
    for (size_t i = 0; i < n; i++)
        import_take_file(run, &list[i]);
    return STATUS_GOOD;
}

static enum exit_status import_report(struct import_run *run)
{
    size_t n, n_same = 0, n_errors = diag_count(run->diag, LEVEL_ERROR);
    const struct import_domain *domains = import_set_domains(run->set, &n);

    for (size_t i = 0; i < n; i++)
        n_same += domains[i].change == NULL;
    if (n > 0)
        import_yaml_print(domains, n, stdout);
    diag_print(run->diag, LEVEL_NOTE, stderr);
    if (n == 0 && n_errors == 0)
        return cli_fail(STATUS_FINDINGS, "no policy was found; expected files example.com.txt or "
                                         "mta-sts.example.com/.well-known/mta-sts.txt");
    fprintf(stderr, "%zu %s, %zu with the same bytes; %zu %s\n", n, n == 1 ? "domain" : "domains",
            n_same, n_errors, n_errors == 1 ? "error" : "errors");
    return n_errors > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

enum exit_status mode_import(const struct options *options)
{
    struct import_run run = {
        .options = options,
        .files = import_files_new(),
        .set = import_set_new(),
        .arena = arena_new(0),
        .diag = diag_new(&import_findings),
    };
    enum exit_status status = import_take_paths(&run);

    if (status == STATUS_GOOD)
        status = import_report(&run);
    diag_free(run.diag);
    arena_free(run.arena);
    import_set_free(run.set);
    import_files_free(run.files);
    return status;
}
