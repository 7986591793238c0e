/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/tls/cert_files.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"

enum {
    HOST_DIRECTORY_MODE = 0755,
    CHAIN_MODE = 0644,
    KEY_MODE = 0600,
};

static int install_check(const struct cert_install *install, struct cert_store *store,
                         struct cert_install_dates *ret_dates, struct err *err)
{
    const struct probe_context *context = cert_store_context(store);
    struct certificate *in_use = cert_store_find(store, install->host);
    struct cert_files files;
    struct probe probe;
    int result = 0;

    cert_files_init(&files, install->from, context);
    cert_files_probe(&files, install->host, &probe);
    probe_compare(&probe, in_use, context);
    if (probe.mark.result == PROBE_ABSENT) {
        result = err_set(err, ERR_CONFIG, "there is no new certificate in '%s'", probe.path);
    } else if (probe.mark.result != PROBE_GOOD) {
        result = err_set(err, ERR_CONFIG, "%s", probe.err.msg);
    } else {
        ret_dates->not_before_unix_s = certificate_not_before_unix_s(probe.certificate);
        ret_dates->not_after_unix_s = certificate_not_after_unix_s(probe.certificate);
    }
    certificate_unref(probe.certificate);
    certificate_unref(in_use);
    cert_files_done(&files);
    return result;
}

static int install_copy(const char *from, const char *host, const char *directory, const char *name,
                        unsigned mode, struct err *err)
{
    struct arena *arena = arena_new(0);
    char *source = cert_path_expand(from, host), *path = file_path_below(directory, name);
    struct stat status;
    struct slice bytes;
    int result = file_read_regular(source, CERTIFICATE_FILE_MAX, arena, &status, &bytes, err);

    if (result == 0)
        result = file_replace(path, mode, file_print_slice, &bytes, err);
    free(path);
    free(source);
    arena_wipe(arena);
    arena_free(arena);
    return result;
}

static int install_write_note(const struct cert_install *install, const char *directory,
                              struct err *err)
{
    char *path = file_path_below(directory, install->note_name);
    struct slice text = slice_of(install->note);
    int result = file_replace(path, CHAIN_MODE, file_print_slice, &text, err);

    free(path);
    return result;
}

void cert_install_remove(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!entries)
        return;
    while ((entry = readdir(entries)))
        unlinkat(fd, entry->d_name, 0);
    closedir(entries);
    rmdir(directory);
}

static int install_sync(const char *directory, struct err *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result =
        fd >= 0 && fsync(fd) == 0 ? 0 : err_io(err, errno, "'%s' cannot be synced", directory);

    if (fd >= 0)
        close(fd);
    return result;
}

/* The new directory takes the place of the old one, if there is one. */
static int install_exchange(const char *new_directory, const char *directory, struct err *err)
{
    if (renameat2(AT_FDCWD, new_directory, AT_FDCWD, directory, RENAME_EXCHANGE) == 0) {
        cert_install_remove(new_directory);
        return 0;
    }
    if (errno == ENOENT && rename(new_directory, directory) == 0)
        return 0;
    return err_io(err, errno, "'%s' cannot be replaced", directory);
}

int cert_install_run(const struct cert_install *install, struct cert_store *store,
                     struct cert_install_dates *ret_dates, struct err *err)
{
    char *directory = file_path_below(install->directory, install->host), *new_directory;
    struct cert_install_dates dates;
    int result = install_check(install, store, &dates, err);

    if (asprintf(&new_directory, "%s/" CERT_INSTALL_NEW_PREFIX "%s", install->directory,
                 install->host) < 0)
        memory_fail();
    if (result == 0) {
        cert_install_remove(new_directory); /* of a process that was ended meanwhile */
        if (mkdir(new_directory, HOST_DIRECTORY_MODE) != 0)
            result = err_io(err, errno, "'%s' cannot be made", new_directory);
        else if (install_copy(install->from->key, install->host, new_directory, install->key_name,
                              KEY_MODE, err) != 0 ||
                 install_copy(install->from->chain, install->host, new_directory,
                              install->chain_name, CHAIN_MODE, err) != 0 ||
                 install_write_note(install, new_directory, err) != 0 ||
                 install_sync(new_directory, err) != 0 ||
                 install_exchange(new_directory, directory, err) != 0 ||
                 install_sync(install->directory, err) != 0)
            result = -1;
        if (result != 0)
            cert_install_remove(new_directory);
    }
    if (result == 0)
        *ret_dates = dates;
    free(new_directory);
    free(directory);
    return result;
}
