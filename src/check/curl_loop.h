/* SPDX-License-Identifier: MIT */
/**
 * The curl loop: libcurl's sockets and timer on a loop of libuv's.
 *
 * One thread, that of the loop.
 */
#pragma once

#include <curl/curl.h>
#include <uv.h>

struct curl_loop;

/** Called when a transfer has ended, from the loop. `easy` has been removed from the loop. */
typedef void curl_loop_done(CURL *easy, CURLcode code);

/** The loop outlives it. Returns NULL if libcurl cannot begin. */
struct curl_loop *curl_loop_new(uv_loop_t *loop, curl_loop_done *done);

/** All transfers have ended or are removed. Takes NULL. */
void curl_loop_free(struct curl_loop *curl);

/** Begins a transfer; `done` never comes from inside this call. */
void curl_loop_add(struct curl_loop *curl, CURL *easy);

/** Ends a transfer without `done`. */
void curl_loop_remove(struct curl_loop *curl, CURL *easy);
