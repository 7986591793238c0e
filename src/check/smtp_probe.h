/* SPDX-License-Identifier: MIT */
/**
 * SMTP probes: one connection to one address of an MX host, up to the end of the TLS handshake.
 *
 * A probe speaks as a sender does before the first message: it waits for the greeting, says EHLO,
 * STARTTLS, shakes hands, says QUIT. Whatever the server sends is bounded in size and time. The
 * program ignores SIGPIPE. One thread, that of the loop.
 * Source: RFC 5321 3.1, 4.1.1.1 (greeting, EHLO), RFC 3207 4 (STARTTLS), RFC 8461 7.1 (SNI).
 */
#pragma once

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "check/smtp_strength.h"
#include "lib/base/slice.h"

struct smtp_probe;

enum {
    SMTP_TEXT_MAX = 300,             /* bytes of a reply's text that are kept */
    SMTP_FAULT_MAX = 120,            /* and of the words of the TLS library */
    SMTP_HANDSHAKE_MAX = 256 * 1024, /* octets that a server sends; certificates have 100 KiB */
};

/** The step that a probe is in. */
enum smtp_stage {
    SMTP_CONNECT,
    SMTP_GREETING,
    SMTP_EHLO,
    SMTP_STARTTLS,
    SMTP_HANDSHAKE,
};

/** How a probe ended. */
enum smtp_end {
    SMTP_END_SECURED,     /* the handshake is done */
    SMTP_END_NO_STARTTLS, /* the reply to EHLO does not offer it */
    SMTP_END_REFUSED,     /* a reply of 4xx or 5xx, as 421, after which servers close */
    SMTP_END_UNREACHABLE, /* the operating system said why: sys_errno */
    SMTP_END_TIMEOUT,
    SMTP_END_CLOSED,   /* the server ended the connection and did not say why */
    SMTP_END_BROKEN,   /* what came is not SMTP, or a reply with a code that has no place there */
    SMTP_END_TOO_LONG, /* a reply, or a handshake, beyond all bounds */
    SMTP_END_UNASKED,  /* octets after a reply that no command asked for; after that to STARTTLS
                          they may be an attacker's, to be taken for what is said inside TLS */
    SMTP_END_TLS,      /* the handshake failed: fault */
};

/** What was seen; valid in the callback only. The texts are a stranger's bytes, not escaped. */
struct smtp_result {
    enum smtp_stage stage; /* where it ended; SMTP_HANDSHAKE with SMTP_END_SECURED */
    enum smtp_end end;
    int sys_errno;            /* SMTP_END_UNREACHABLE; SMTP_END_CLOSED: of a reset, or 0 */
    int code;                 /* of the last reply; 0: none came */
    char text[SMTP_TEXT_MAX]; /* of the last reply, its lines joined by spaces; may hold NULs */
    size_t text_len;
    char fault[SMTP_FAULT_MAX]; /* SMTP_END_TLS: "no protocols available" */
    const char *tls_version;    /* "TLSv1.3"; NULL without a handshake */
    int tls_number;             /* the same as TLS1_3_VERSION */
    struct smtp_strength strength;
    STACK_OF(X509) * chain; /* as sent, the leaf first; NULL or not empty */
    uint64_t took_ms;
};

struct smtp_options {
    SSL_CTX *tls;
    const char *helo; /* our name */
    const char *sni;  /* the name asked for in the handshake; NULL: none */
    uint64_t connect_ms, reply_ms,
        total_ms; /* a reply, and the handshake, come as a whole in time */
};

typedef void smtp_probed(void *context, const struct smtp_result *result);

/**
 * Connects to `address`.
 *
 * options   its texts are not needed any longer when this returns
 * callback  comes once, never from inside this call, unless the probe is cancelled before; the
 *           connection is closed by then
 * Returns a probe that is gone after its callback; never NULL.
 */
struct smtp_probe *smtp_probe_start(uv_loop_t *loop, const struct sockaddr *address,
                                    const struct smtp_options *options, smtp_probed *callback,
                                    void *context);

/** Ends a probe without its callback; the loop has to go on until its handles are closed. */
void smtp_probe_cancel(struct smtp_probe *probe);

/** What the server was asked for: "the greeting", "the reply to EHLO". */
const char *smtp_stage_text(enum smtp_stage stage);
