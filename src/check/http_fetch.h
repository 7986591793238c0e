/* SPDX-License-Identifier: MIT */
/**
 * HTTPS fetches: one GET to one address, as a strict sender does it, and all that was seen.
 *
 * libcurl does the work on the loop. A certificate that no sender accepts is judged and the fetch
 * goes on, so that a report shows all faults at once; redirects are not followed.
 * One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "check/mx_cert.h"
#include "lib/base/slice.h"

struct err;
struct http_fetch;
struct http_fetcher;
struct mx_trust;
struct sockaddr;

enum http_end {
    HTTP_DONE,
    HTTP_NOT_ROUTED,  /* this machine has no way to such an address */
    HTTP_UNREACHABLE, /* refused, or no connection in time */
    HTTP_NO_TLS,      /* the handshake failed; `why` */
    HTTP_TOO_SLOW,    /* connected, and no complete answer within the time limit */
    HTTP_BROKEN,      /* no HTTP, or cut off */
};

/** What came. It points to memory that is valid in the callback only. */
struct http_result {
    enum http_end end;
    const char *why; /* of an end that is not HTTP_DONE, the end of a sentence, escaped */
    bool has_cert;   /* a certificate was shown, and `cert` judges it for the host */
    struct mx_cert cert;
    int tls_version;                 /* as SSL_version(); 0: no handshake was done */
    long status;                     /* of HTTP; 0: none */
    struct slice media_type;         /* the header's value; NULL pointer: none was sent */
    struct slice location, encoding; /* likewise */
    struct slice etag, last_modified;
    struct slice body; /* at most POLICY_FETCH_MAX + 1 bytes: what is more was not read */
    uint32_t time_ms;  /* from the first packet to the last */
};

enum http_protocol {
    HTTP_1_1,              /* and the handshake says so (ALPN) */
    HTTP_1_1_WITHOUT_ALPN, /* the handshake says nothing of protocols */
    HTTP_2,                /* where the server agrees, or HTTP/1.1 */
    HTTP_1_0,              /* without ALPN */
};

/** How a fetch differs from the ordinary one; all zero: not at all. */
struct http_manner {
    enum http_protocol protocol;
    const char *user_agent;   /* NULL: our name; "": none */
    const char *header_host;  /* what HTTP asks for; NULL: the host */
    const char *headers[2];   /* further ones, as "Range: bytes=0-9" */
    int tls_newest;           /* TLS1_2_VERSION: nothing newer is offered; 0: all versions are */
    bool asks_no_server_name; /* in the handshake (SNI) */
};

typedef void http_fetched(void *context, const struct http_result *result);

/**
 * trust       outlives the fetcher
 * timeout_ms  for one whole fetch; an address has half of it for the connection and the handshake
 * Returns NULL with *err set.
 */
struct http_fetcher *http_fetcher_new(uv_loop_t *loop, const struct mx_trust *trust,
                                      uint64_t timeout_ms, struct err *err);

/** All fetches have ended or are cancelled. Takes NULL. */
void http_fetcher_free(struct http_fetcher *fetcher);

/**
 * Begins GET https://host/path at this address. The callback comes once, never from inside this
 * call.
 *
 * host     A-labels; copied
 * path     with its first slash
 * address  with the port
 * manner   NULL: the ordinary one
 */
struct http_fetch *http_fetch_start(struct http_fetcher *fetcher, const char *host,
                                    const char *path, const struct sockaddr *address,
                                    const struct http_manner *manner, http_fetched *callback,
                                    void *context);

/** Ends a fetch whose callback has not come. Takes NULL. */
void http_fetch_cancel(struct http_fetch *fetch);
