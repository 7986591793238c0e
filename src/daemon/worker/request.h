/* SPDX-License-Identifier: MIT */
/**
 * The read stage of the first request's head, before h2o's HTTP/1. The head has a limit here.
 *
 * h2o would read up to 417 kB of head, copy a field's name of that size to its stack (U11), and
 * keep its whole state for octets that may never become a request.
 * Runs in a worker's thread.
 * Source: RFC 6585 5 (431)
 */
#pragma once

struct connection;

/** Reads the head of the connection's first request, then hands the connection to h2o. */
void request_begin(struct connection *connection);
