/* SPDX-License-Identifier: MIT */
/**
 * The status handler: sends the files of the status site, which another program has written.
 *
 * It sends files of that one folder by their names: no folder below it, no list of it, no symbolic
 * link, nothing whose name has no type in its table. Runs in the admin worker's thread.
 */
#pragma once

#include <h2o.h>

#include "lib/base/slice.h"

/** Where the site is: a folder of the state directory; and its address. */
#define STATUS_FOLDER "site"
#define STATUS_PATH "/status/"

/**
 * Answers with a file.
 *
 * path   begins with STATUS_PATH; that alone is the front page
 * state  the state directory; NULL: there is none
 */
void status_handler_answer(h2o_req_t *req, struct slice path, const char *state);

/** Answers STATUS_PATH without its last slash: the front page is there. */
void status_handler_redirect(h2o_req_t *req);
