/* SPDX-License-Identifier: MIT */
#include "lib/acme/challenge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

static bool challenge_is_base64url(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_')
            return false;
    return text.len > 0;
}

bool challenge_token_is_valid(struct slice token)
{
    return token.len <= CHALLENGE_TOKEN_MAX && challenge_is_base64url(token);
}

bool challenge_answer_is_valid(struct slice answer, struct slice token)
{
    size_t dot = slice_find_byte(answer, '.');

    return answer.len <= CHALLENGE_ANSWER_MAX && slice_eq(slice_range(answer, 0, dot), token) &&
           challenge_is_base64url(slice_range(answer, dot + 1, answer.len));
}

static int challenge_print(void *context, FILE *out)
{
    const char *answer = context;

    fputs(answer, out);
    return ferror(out);
}

int challenge_write(const char *directory, const char *token, const char *answer, struct err *err)
{
    char *path = file_path_below(directory, token);
    int result = file_replace(path, 0600, challenge_print, (void *)(uintptr_t)answer, err);

    free(path);
    return result;
}

int challenge_remove(const char *directory, const char *token, struct err *err)
{
    char *path = file_path_below(directory, token);
    int result = 0;

    if (unlink(path) != 0 && errno != ENOENT)
        result = err_io(err, errno, "'%s' cannot be removed", path);
    free(path);
    return result;
}

int challenge_remove_all(const char *directory, struct err *err)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    int result = 0;

    if (!entries)
        return err_io(err, errno, "'%s' cannot be read", directory);
    while ((entry = readdir(entries)) && result == 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = challenge_remove(directory, entry->d_name, err);
    closedir(entries);
    return result;
}

static size_t challenge_read_file(int fd, char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    struct stat status;
    ssize_t len;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > CHALLENGE_ANSWER_MAX)
        return 0;
    len = read(fd, ret_answer, CHALLENGE_ANSWER_MAX);
    if (len <= 0)
        return 0;
    ret_answer[len] = '\0';
    return (size_t)len;
}

size_t challenge_read(const char *directory, struct slice token,
                      char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    char name[CHALLENGE_TOKEN_MAX + 1];
    size_t len = 0;
    char *path;
    int fd;

    if (!challenge_token_is_valid(token))
        return 0;
    snprintf(name, sizeof(name), "%.*s", SLICE_ARG(token));
    path = file_path_below(directory, name);
    /* A pipe without a writer must not hold the reader up before it is seen to be no file. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        len = challenge_read_file(fd, ret_answer);
        close(fd);
    }
    free(path);
    return len;
}
