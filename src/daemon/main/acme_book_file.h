/* SPDX-License-Identifier: MIT */
/**
 * The file of the book of orders: what is known of hosts is read at the start, and written after
 * each change.
 *
 * As long as the file cannot be written nothing may be ordered: a restart would not know of the
 * order, and where the book finds no room a certificate finds none either. On the loop's thread;
 * the disk is waited for in the thread pool.
 */
#pragma once

#include <stdbool.h>

struct acme_book_file;
struct acme_hosts;
struct uv_loop_s;

struct acme_book_file_options {
    struct uv_loop_s *loop;
    const char *path;
    struct acme_hosts *hosts;
    void (*written)(void *context); /* it was written, for the first time after a failure too */
    void *context;
};

/** Never returns NULL. Nothing was written yet, so nothing may be ordered. */
struct acme_book_file *acme_book_file_new(const struct acme_book_file_options *options);

/** Tells the hosts what an earlier process has kept; what is damaged is logged. */
void acme_book_file_read(const struct acme_book_file *file);

/** What is known of the hosts has changed. */
void acme_book_file_change(struct acme_book_file *file);

/** Begins to write what has changed, or what could not be written. */
void acme_book_file_save(struct acme_book_file *file);

/** Whether the last write was good. */
bool acme_book_file_is_good(const struct acme_book_file *file);

/** Nothing is written any more, but what is under way. */
void acme_book_file_stop(struct acme_book_file *file);

/** Takes NULL. After acme_book_file_stop(), when the loop has ended. */
void acme_book_file_free(struct acme_book_file *file);
