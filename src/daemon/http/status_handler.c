/* SPDX-License-Identifier: MIT */
#include "daemon/http/status_handler.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/http/answer.h"
#include "lib/base/file.h"

enum {
    STATUS_FILE_MAX = 8 * 1024 * 1024, /* bytes; the site's own are below 1 MB */
    STATUS_NAME_MAX = 64,
};

static const struct {
    const char *suffix, *type;
} status_types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

/* The pages say the first of them too, for other web servers; that nobody may frame them, only a
 * field can say. */
static const struct {
    const char *name, *value;
} status_fields[] = {
    {"content-security-policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'; trusted-types site"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-resource-policy", "same-origin"},
    {"cache-control", "no-cache"}, /* the files change together */
};

/* Returns NULL for what is no name of a file here. */
static const char *status_type_of(struct slice name)
{
    if (name.len == 0 || name.len >= STATUS_NAME_MAX || name.ptr[0] == '.')
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '.')
            return NULL;
    for (size_t i = 0; i < ARRAY_LEN(status_types); i++)
        if (slice_ends_with(name, status_types[i].suffix))
            return status_types[i].type;
    return NULL;
}

/* The folder may be exchanged for a new one at any time, never what is open of it. */
static int status_open(const char *state, struct slice name)
{
    char *path = file_path_below(state, STATUS_FOLDER), text[STATUS_NAME_MAX];
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -1;

    free(path);
    if (folder < 0)
        return -1;
    snprintf(text, sizeof(text), "%.*s", SLICE_ARG(name));
    fd = openat(folder, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(folder);
    return fd;
}

/* Reads the whole file. Returns whether that was possible; a file's bytes never change. */
static bool status_read(h2o_req_t *req, int fd, h2o_iovec_t *ret_body)
{
    struct stat status;
    size_t len = 0;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > STATUS_FILE_MAX)
        return false;
    *ret_body = h2o_iovec_init(h2o_mem_alloc_pool(&req->pool, (size_t)status.st_size + 1),
                               (size_t)status.st_size);
    while (len < ret_body->len) {
        ssize_t n = read(fd, ret_body->base + len, ret_body->len - len);

        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    return true;
}

static void status_answer_missing(h2o_req_t *req, const char *state)
{
    answer_text(req, 404, "Not Found",
                state ? "there is no such page; the site is written some seconds after the start, "
                        "if mta-stsd-reports is installed\n"
                      : "there is no site, see state: in mta-stsd.yaml\n");
}

void status_handler_answer(h2o_req_t *req, struct slice path, const char *state)
{
    struct slice name = slice_range(path, strlen(STATUS_PATH), path.len);
    const char *type;
    h2o_iovec_t body = {0};
    bool is_read;
    int fd;

    if (name.len == 0)
        name = slice_of("index.html");
    type = status_type_of(name);
    fd = state && type ? status_open(state, name) : -1;
    is_read = fd >= 0 && status_read(req, fd, &body);
    if (fd >= 0)
        close(fd);
    if (!is_read) {
        status_answer_missing(req, state);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(status_fields); i++)
        h2o_add_header_by_str(&req->pool, &req->res.headers, status_fields[i].name,
                              strlen(status_fields[i].name), 0, NULL, status_fields[i].value,
                              strlen(status_fields[i].value));
    answer_bytes(req, 200, "OK", type, body);
}

void status_handler_redirect(h2o_req_t *req)
{
    static const char place[] = "status/"; /* relative: behind a proxy the path may be longer */

    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_LOCATION, NULL, place, strlen(place));
    answer_text(req, 301, "Moved Permanently", "the status site is at " STATUS_PATH "\n");
}
