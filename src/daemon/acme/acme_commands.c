/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_commands.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/confine/privileges.h"
#include "daemon/tls/cert_install.h"
#include "daemon/tls/key_file.h"
#include "lib/acme/challenge.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"

enum {
    BINDING_MAX = 4096,
    NOTE_MAX = 8192,
    TEXTS_MAX = 20,
    OWN_MODE = 0700,
    OWN_FILE_MODE = 0600,
    SHARED_MODE = 0755, /* the keys below are for the owner alone */
};

struct command_texts {
    const char *of[TEXTS_MAX];
    size_t n;
};

struct acme_commands {
    struct arena *arena;
    char *binding; /* NULL: none */
    /* Paths. */
    const char *note;
    const char *home, *account, *account_key, *private_keys, *challenges, *certificates, *book;
    int lock; /* the directory home, locked; -1: it is not */
    struct cert_source result;
    struct command_texts ready, make_account, order;
};

static void command_add(struct command_texts *texts, const char *text)
{
    texts->of[texts->n++] = text;
}

static const char *commands_path(struct acme_commands *commands, const char *directory,
                                 const char *name)
{
    char *path = file_path_below(directory, name);
    const char *kept = arena_copy(commands->arena, slice_of(path));

    free(path);
    return kept;
}

static const char *commands_find_beside(struct acme_commands *commands, const char *name)
{
    char *path = program_find_beside(name);
    const char *kept = arena_copy(commands->arena, slice_of(path));

    free(path);
    return kept;
}

/* One line, KEYID:KEY. */
static int commands_read_binding(struct acme_commands *commands, const char *path, struct err *err)
{
    struct slice bytes, binding;
    struct stat status;
    int result = file_read_regular(path, BINDING_MAX, commands->arena, &status, &bytes, err);

    if (result != 0)
        return err_set(err, err->code, "acme.external_account_binding: '%s' %s", path, err->msg);
    binding =
        slice_trim(slice_ends_with(bytes, "\n") ? slice_range(bytes, 0, bytes.len - 1) : bytes);
    for (size_t i = 0; i < binding.len; i++)
        if (binding.ptr[i] <= ' ' || binding.ptr[i] > '~')
            binding.len = 0;
    if (binding.len == 0 || binding.ptr[0] == ':' ||
        slice_find_byte(binding, ':') >= binding.len - 1)
        return err_set(
            err, ERR_SYNTAX,
            "acme.external_account_binding: '%s': expected KEYID:KEY on one line, as the "
            "certificate authority gives them",
            path);
    if (asprintf(&commands->binding, "--eab=%.*s", SLICE_ARG(binding)) < 0)
        memory_fail();
    return 0;
}

static void commands_add_uacme(struct acme_commands *commands, const struct config *config,
                               struct command_texts *texts)
{
    command_add(texts, ACME_UACME);
    command_add(texts, "--acme-url");
    command_add(texts, config->acme->directory);
    command_add(texts, "--confdir");
    command_add(texts, commands->account);
    command_add(texts, "--never-create"); /* keys are made by us: never twice, and never by half */
}

static void commands_make_texts(struct acme_commands *commands, const struct config *config,
                                const char *config_path)
{
    struct command_texts *ready = &commands->ready, *account = &commands->make_account,
                         *order = &commands->order;

    command_add(ready, commands_find_beside(commands, "mta-stsd-check"));
    command_add(ready, "--config");
    command_add(ready, config_path);
    command_add(ready, "--acme-ready");
    command_add(ready, "--");
    commands_add_uacme(commands, config, account);
    command_add(account, "--yes");
    command_add(account, "new");
    if (config->acme->account_email)
        command_add(account, config->acme->account_email);
    commands_add_uacme(commands, config, order);
    command_add(order, "--hook");
    command_add(order, commands_find_beside(commands, "mta-stsd-acme-hook"));
    command_add(order, "--no-ocsp");
    command_add(order, "--force"); /* what is due is ours to say */
    command_add(order, "--");      /* no host can be an option */
    command_add(order, "issue");
}

static const char *commands_make_note(struct acme_commands *commands, const char *directory)
{
    size_t size = strlen(directory) + sizeof("\n");
    char *note = arena_alloc(commands->arena, size);

    snprintf(note, size, "%s\n", directory);
    return note;
}

static void commands_set_paths(struct acme_commands *commands, const char *state)
{
    commands->home = commands_path(commands, state, "acme");
    commands->book = commands_path(commands, commands->home, "orders");
    commands->account = commands_path(commands, commands->home, "account");
    commands->private_keys = commands_path(commands, commands->account, "private");
    commands->account_key = commands_path(commands, commands->private_keys, "key.pem");
    commands->result = (struct cert_source){
        .chain = commands_path(commands, commands->account, "{host}/cert.pem"),
        .key = commands_path(commands, commands->private_keys, "{host}/key.pem")};
    commands->challenges = commands_path(commands, state, CHALLENGE_DIRECTORY);
    commands->certificates = commands_path(commands, state, ACME_CERTIFICATES);
}

int acme_commands_new(const struct config *config, const char *config_path,
                      struct acme_commands **ret_commands, struct err *err)
{
    struct acme_commands *commands;

    *ret_commands = NULL;
    if (!config->acme || !config->acme->has_orders)
        return 0;
    if (strcmp(config_path, "-") == 0) {
        log_line(LOG_ERROR, "acme: no certificates are ordered, because the configuration was read "
                            "from standard input, where it cannot be read again");
        return 0;
    }
    commands = memory_alloc(sizeof(*commands));
    *commands = (struct acme_commands){.arena = arena_new(0), .lock = -1};
    if (config->acme->eab_path &&
        commands_read_binding(commands, config->acme->eab_path, err) != 0) {
        acme_commands_free(commands);
        return -1;
    }
    commands->note = commands_make_note(commands, config->acme->directory);
    commands_set_paths(commands, config->state);
    commands_make_texts(commands, config, config_path);
    if (setenv(CHALLENGE_DIRECTORY_VARIABLE, commands->challenges, 1) != 0)
        memory_fail();
    *ret_commands = commands;
    return 0;
}

void acme_commands_free(struct acme_commands *commands)
{
    if (!commands)
        return;
    if (commands->lock >= 0)
        close(commands->lock);
    free(commands->binding);
    arena_free(commands->arena);
    free(commands);
}

void acme_commands_set(const struct acme_commands *commands, struct program_commands *programs)
{
    if (!commands)
        return;
    programs->of[ACME_READY] = (struct program_command){commands->ready.of, commands->ready.n};
    programs->of[ACME_ACCOUNT] =
        (struct program_command){commands->make_account.of, commands->make_account.n};
    programs->of[ACME_ORDER] = (struct program_command){commands->order.of, commands->order.n};
}

/* A second daemon would remove the challenges of the first, and order what the first orders. Where
 * the file system knows no locks, nobody can tell. */
static int commands_lock_home(struct acme_commands *commands, struct err *err)
{
    commands->lock = open(commands->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (commands->lock >= 0 && flock(commands->lock, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK)
        return err_set(err, ERR_CONFIG,
                       "'%s' is in use by another mta-stsd; each one needs a state: of its own",
                       commands->home);
    return 0;
}

int acme_commands_make_directories(struct acme_commands *commands, const struct account *account,
                                   struct err *err)
{
    const struct {
        const char *path;
        mode_t mode;
    } directories[] = {{commands->home, OWN_MODE},
                       {commands->account, OWN_MODE},
                       {commands->private_keys, OWN_MODE},
                       {commands->challenges, OWN_MODE},
                       {commands->certificates, SHARED_MODE}};

    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        const char *path = directories[i].path;

        if (mkdir(path, directories[i].mode) == 0) {
            if (account_chown(account, path, err) != 0)
                return -1;
        } else if (errno != EEXIST) {
            return err_io(err, errno, "'%s' cannot be made", path);
        }
    }
    return commands_lock_home(commands, err);
}

int acme_commands_clean(const struct acme_commands *commands, struct err *err)
{
    DIR *entries;
    const struct dirent *entry;

    if (challenge_remove_all(commands->challenges, err) != 0)
        return -1;
    entries = opendir(commands->certificates);
    if (!entries)
        return err_io(err, errno, "'%s' cannot be read", commands->certificates);
    while ((entry = readdir(entries))) {
        char *path = file_path_below(commands->certificates, entry->d_name);

        if (strncmp(entry->d_name, CERT_INSTALL_NEW_PREFIX, strlen(CERT_INSTALL_NEW_PREFIX)) == 0)
            cert_install_remove(path);
        free(path);
    }
    closedir(entries);
    return 0;
}

const char *acme_commands_binding(const struct acme_commands *commands)
{
    return commands->binding;
}

const char *acme_commands_account_key(const struct acme_commands *commands)
{
    return commands->account_key;
}

struct cert_source acme_commands_result(const struct acme_commands *commands)
{
    return commands->result;
}

const char *acme_commands_certificates(const struct acme_commands *commands)
{
    return commands->certificates;
}

const char *acme_commands_note(const struct acme_commands *commands)
{
    return commands->note;
}

/* The path of the note that names the authority of a host's files; for free(). */
static char *commands_note_path(const char *directory, const char *host)
{
    char *path;

    if (asprintf(&path, "%s/%s/" ACME_DIRECTORY_NOTE, directory, host) < 0)
        memory_fail();
    return path;
}

/* The text is the arena's. Returns 0 or -1. */
static int commands_read_note(const char *directory, const char *host, struct arena *arena,
                              struct slice *ret_note)
{
    char *path = commands_note_path(directory, host);
    struct stat status;
    struct err err;
    int result = file_read_regular(path, NOTE_MAX, arena, &status, ret_note, &err);

    free(path);
    return result;
}

bool acme_commands_is_current(const struct acme_commands *commands, const char *host)
{
    struct arena *arena = arena_new(0);
    struct slice note;
    bool is_current = commands_read_note(commands->certificates, host, arena, &note) != 0 ||
                      slice_eq_text(note, commands->note);

    arena_free(arena);
    return is_current;
}

bool acme_commands_has_result(const struct acme_commands *commands, const char *host)
{
    struct arena *arena = arena_new(0);
    char *chain = cert_path_expand(commands->result.chain, host);
    struct slice note;
    bool has_result = access(chain, F_OK) == 0 &&
                      commands_read_note(commands->account, host, arena, &note) == 0 &&
                      slice_eq_text(note, commands->note);

    free(chain);
    arena_free(arena);
    return has_result;
}

const char *acme_commands_book(const struct acme_commands *commands)
{
    return commands->book;
}

static int commands_make_directory(const char *path, struct err *err)
{
    return mkdir(path, OWN_MODE) == 0 || errno == EEXIST
               ? 0
               : err_io(err, errno, "'%s' cannot be made", path);
}

int acme_commands_prepare_host(const struct acme_commands *commands, const char *host,
                               struct err *err)
{
    char *key = cert_path_expand(commands->result.key, host);
    char *directory = file_path_below(commands->account, host);
    char *keys = file_path_below(commands->private_keys, host);
    char *note = commands_note_path(commands->account, host);
    struct slice authority = slice_of(commands->note);
    int result = -1;

    /* Of an order that a kill has ended: uacme would keep a copy of each file that is there. */
    cert_install_remove(directory);
    if (commands_make_directory(directory, err) == 0 && commands_make_directory(keys, err) == 0 &&
        file_replace(note, OWN_FILE_MODE, file_print_slice, &authority, err) == 0)
        result = key_file_make(key, err);
    free(note);
    free(keys);
    free(directory);
    free(key);
    return result;
}

void acme_commands_forget_host(const struct acme_commands *commands, const char *host)
{
    char *directory = file_path_below(commands->account, host);
    char *keys = file_path_below(commands->private_keys, host);

    cert_install_remove(directory);
    cert_install_remove(keys);
    free(keys);
    free(directory);
}

void acme_commands_clean_host(const struct acme_commands *commands, const char *host)
{
    char *chain = cert_path_expand(commands->result.chain, host);
    char *note = commands_note_path(commands->account, host);

    unlink(chain);
    unlink(note);
    free(note);
    free(chain);
}
