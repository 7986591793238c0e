/* SPDX-License-Identifier: MIT */
#include "daemon/child/child_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

enum {
    PREFIX_SIZE = 128 + 1,
    READ_SIZE = 4096,
    /* More than a pipe holds: a child of the child that goes on printing must not hold us up. */
    READS_MAX = 1024 * 1024 / READ_SIZE,
    ESCAPE_LEN = sizeof("\\xff") - 1,
};

struct child_output {
    uv_poll_t poll;
    int ours, childs; /* ends of the pipe; -1: closed */
    char prefix[PREFIX_SIZE];
    char line[CHILD_OUTPUT_LINE_MAX]; /* the one that is being read */
    size_t line_len;
    bool is_cut;
    size_t n_lines;
    child_output_line *on_line; /* NULL: all lines are logged */
    void *line_context;
    char last[CHILD_OUTPUT_LINE_MAX * ESCAPE_LEN + sizeof("...")];
};

/* A terminal that shows the log must not obey what a stranger has had the child print. */
static void output_escape_line(struct child_output *output)
{
    char *to = output->last;

    for (size_t i = 0; i < output->line_len; i++) {
        unsigned char byte = (unsigned char)output->line[i];

        if (byte == '\t')
            *to++ = ' ';
        else if (byte < 0x20 || byte > 0x7e)
            to += snprintf(to, ESCAPE_LEN + 1, "\\x%02x", byte);
        else
            *to++ = (char)byte;
    }
    strcpy(to, output->is_cut ? "..." : "");
}

static void output_end_line(struct child_output *output)
{
    if (!output->is_cut && output->line_len > 0 && output->line[output->line_len - 1] == '\r')
        output->line_len--;
    if (output->line_len > 0) {
        output_escape_line(output);
        if ((!output->on_line || output->on_line(output->line_context, output->last)) &&
            output->n_lines++ < CHILD_OUTPUT_LINES_MAX)
            log_line(LOG_INFO, "%s: %s", output->prefix, output->last);
    }
    output->line_len = 0;
    output->is_cut = false;
}

static void output_take(struct child_output *output, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            output_end_line(output);
        else if (output->line_len < sizeof(output->line))
            output->line[output->line_len++] = bytes[i];
        else
            output->is_cut = true;
    }
}

/* Returns whether there may be more. */
static bool output_read(struct child_output *output)
{
    char bytes[READ_SIZE];
    ssize_t len = read(output->ours, bytes, sizeof(bytes));

    if (len > 0)
        output_take(output, bytes, (size_t)len);
    return len > 0 || (len < 0 && errno == EINTR);
}

static void on_output(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    output_read(poll->data);
}

struct child_output *child_output_new(struct uv_loop_s *loop, const char *prefix, struct err *err)
{
    struct child_output *output;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_io(err, errno, "a pipe for the output of a program cannot be made");
        return NULL;
    }
    /* Only our end: the child may rely on one that waits. */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    output = memory_alloc(sizeof(*output));
    *output = (struct child_output){.ours = ends[0], .childs = ends[1]};
    snprintf(output->prefix, sizeof(output->prefix), "%s", prefix);
    uv_poll_init(loop, &output->poll, output->ours);
    output->poll.data = output;
    uv_poll_start(&output->poll, UV_READABLE, on_output);
    return output;
}

void child_output_watch(struct child_output *output, child_output_line *on_line, void *context)
{
    output->on_line = on_line;
    output->line_context = context;
}

int child_output_fd(const struct child_output *output)
{
    return output->childs;
}

static void output_close(struct child_output *output)
{
    if (output->ours < 0)
        return;
    uv_poll_stop(&output->poll);
    close(output->ours);
    close(output->childs);
    output->ours = output->childs = -1;
}

void child_output_finish(struct child_output *output)
{
    size_t n_more;

    for (int i = 0; i < READS_MAX && output_read(output); i++)
        continue;
    output_end_line(output);
    output_close(output);
    if (output->n_lines <= CHILD_OUTPUT_LINES_MAX)
        return;
    n_more = output->n_lines - CHILD_OUTPUT_LINES_MAX;
    log_line(LOG_INFO, "%s: %zu more line%s not logged", output->prefix, n_more,
             n_more == 1 ? " is" : "s are");
}

const char *child_output_last_line(const struct child_output *output)
{
    return output->last;
}

static void output_free(uv_handle_t *handle)
{
    free(handle->data);
}

void child_output_free(struct child_output *output)
{
    if (!output)
        return;
    output_close(output);
    uv_close((uv_handle_t *)&output->poll, output_free);
}
