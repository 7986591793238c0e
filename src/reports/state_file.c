/* SPDX-License-Identifier: MIT */
#include "reports/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"

enum {
    FLAGS = O_RDWR | O_CLOEXEC | O_NOFOLLOW,
};

/* Only a file that this call has made changes its owner: another one may be a hard link that the
 * directory's owner has made to what is not theirs. */
static int file_make(int directory, const char *name)
{
    int fd = openat(directory, name, FLAGS | O_CREAT | O_EXCL, 0600);
    struct stat status;

    if (fd < 0)
        return errno == EEXIST ? openat(directory, name, FLAGS) : -1;
    if (geteuid() == 0 &&
        (fstat(directory, &status) != 0 || fchown(fd, status.st_uid, status.st_gid) != 0)) {
        int reason = errno;

        close(fd);
        unlinkat(directory, name, 0);
        errno = reason;
        return -1;
    }
    return fd;
}

int state_file_open(const char *directory, const char *name, struct err *err)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, reason;

    if (folder < 0)
        return err_io(err, errno, "state: the directory '%s' cannot be opened", directory);
    fd = file_make(folder, name);
    reason = errno;
    close(folder);
    return fd >= 0 ? fd : err_io(err, reason, "'%s/%s' cannot be opened", directory, name);
}
