/* SPDX-License-Identifier: MIT */
/**
 * The stage before h2o's HTTP/1: reads the first request's head, which has a bound here.
 *
 * h2o would read up to 417 kB of head, copy a field's name of that size to its stack (U11), and
 * keep its whole state for a request that may never be one.
 * Source: RFC 6585 5 (431)
 */
#pragma once

struct connection;

/** Reads the head of the connection's first request, then hands the connection to h2o. */
void request_begin(struct connection *connection);
