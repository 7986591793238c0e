/* SPDX-License-Identifier: MIT */
#include "check/smtp_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "check/smtp_reply.h"
#include "check/tls_bound.h"
#include "lib/base/arena.h"

enum {
    INPUT_SIZE = 4096,
    COMMAND_MAX = 512,
    FAREWELL_MS = 2000,       /* what a server has to answer QUIT */
    FAREWELL_MAX = 16 * 1024, /* octets of that answer: session tickets come before it */
};

struct smtp_probe {
    uv_poll_t poll;
    uv_timer_t timer;
    int fd;
    unsigned n_open; /* handles that are not closed yet */
    SSL *ssl;
    SSL_CTX *tls;
    struct tls_bound handshake;
    char *helo, *sni;
    uint64_t reply_ms, started_ms, ends_ms;
    struct smtp_reply reply;
    bool offers_starttls, is_leaving;
    char command[COMMAND_MAX]; /* what is still to be sent in clear */
    size_t command_len, farewell_len;
    struct smtp_result result;
    smtp_probed *callback; /* NULL: cancelled */
    void *context;
};

const char *smtp_stage_text(enum smtp_stage stage)
{
    static const char *const texts[] = {
        [SMTP_CONNECT] = "the connection",      [SMTP_GREETING] = "the greeting",
        [SMTP_EHLO] = "the reply to EHLO",      [SMTP_STARTTLS] = "the reply to STARTTLS",
        [SMTP_HANDSHAKE] = "the TLS handshake",
    };

    return texts[stage];
}

static void probe_free(struct smtp_probe *probe)
{
    sk_X509_pop_free(probe->result.chain, X509_free);
    SSL_free(probe->ssl);
    SSL_CTX_free(probe->tls);
    free(probe->helo);
    free(probe->sni);
    free(probe);
}

static void probe_on_closed(uv_handle_t *handle)
{
    struct smtp_probe *probe = handle->data;

    if (--probe->n_open > 0)
        return;
    if (probe->callback)
        probe->callback(probe->context, &probe->result);
    probe_free(probe);
}

static void probe_close(struct smtp_probe *probe)
{
    if (uv_is_closing((uv_handle_t *)&probe->timer))
        return;
    probe->result.took_ms = uv_now(probe->timer.loop) - probe->started_ms;
    uv_close((uv_handle_t *)&probe->timer, probe_on_closed);
    if (probe->fd < 0)
        return;
    uv_close((uv_handle_t *)&probe->poll, probe_on_closed);
    close(probe->fd);
    probe->fd = -1;
}

static void probe_stop(struct smtp_probe *probe, enum smtp_end end)
{
    probe->result.end = end;
    probe_close(probe);
}

static void probe_on_timer(uv_timer_t *timer)
{
    struct smtp_probe *probe = timer->data;

    if (probe->is_leaving)
        probe_close(probe); /* all is known, only the server's farewell is missing */
    else
        probe_stop(probe, probe->result.sys_errno ? SMTP_END_UNREACHABLE : SMTP_END_TIMEOUT);
}

/* Each step has its own time, within that of the whole probe. */
static void probe_limit(struct smtp_probe *probe, uint64_t limit_ms)
{
    uint64_t now_ms = uv_now(probe->timer.loop),
             left_ms = probe->ends_ms > now_ms ? probe->ends_ms - now_ms : 0;

    uv_timer_start(&probe->timer, probe_on_timer, limit_ms < left_ms ? limit_ms : left_ms, 0);
}

static void probe_on_socket(uv_poll_t *poll, int status, int events);

static void probe_wait(struct smtp_probe *probe, int events)
{
    uv_poll_start(&probe->poll, events, probe_on_socket);
}

/* What the server said before it closed is still to be read, so an error of writing says nothing:
 * reading ends the probe. */
static void command_flush(struct smtp_probe *probe)
{
    ssize_t n = send(probe->fd, probe->command, probe->command_len, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        n = (ssize_t)probe->command_len;
    if (n > 0) {
        probe->command_len -= (size_t)n;
        memmove(probe->command, probe->command + n, probe->command_len);
    }
    probe_wait(probe, UV_READABLE | (probe->command_len > 0 ? UV_WRITABLE : 0));
}

static void command_send(struct smtp_probe *probe, enum smtp_stage stage, const char *verb,
                         const char *argument)
{
    probe->result.stage = stage;
    probe->reply = (struct smtp_reply){0};
    probe_limit(probe, probe->reply_ms);
    snprintf(probe->command, sizeof(probe->command), "%s%s%s\r\n", verb, *argument ? " " : "",
             argument);
    probe->command_len = strlen(probe->command);
    command_flush(probe);
}

/* Leaves politely and takes what the server still sends: a socket that is closed with octets
 * unread resets the connection, and QUIT may never arrive. */
static void probe_leave(struct smtp_probe *probe, enum smtp_end end)
{
    probe->result.end = end;
    probe->is_leaving = true;
    if (end == SMTP_END_SECURED) {
        SSL_write(probe->ssl, "QUIT\r\n", 6);
        probe_wait(probe, UV_READABLE);
    } else {
        command_send(probe, probe->result.stage, "QUIT", "");
    }
    probe_limit(probe, FAREWELL_MS);
}

static void handshake_done(struct smtp_probe *probe)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(probe->ssl);

    if (sk_X509_num(chain) > 0)
        probe->result.chain = X509_chain_up_ref(chain);
    probe->result.tls_version = SSL_get_version(probe->ssl);
    probe->result.tls_number = SSL_version(probe->ssl);
    smtp_strength_read(probe->ssl, &probe->result.strength);
    probe_leave(probe, SMTP_END_SECURED);
}

static void handshake_failed(struct smtp_probe *probe, int reason)
{
    unsigned long error = ERR_peek_last_error();
    const char *words = ERR_reason_error_string(error);

    if (probe->handshake.is_exceeded) {
        probe_stop(probe, SMTP_END_TOO_LONG);
        return;
    }
    if (reason != SSL_ERROR_SSL) {
        probe_stop(probe, SMTP_END_CLOSED);
        return;
    }
    snprintf(probe->result.fault, sizeof(probe->result.fault), "%s",
             words ? tls_bound_words(words) : "the TLS library does not say why");
    probe_stop(probe, SMTP_END_TLS);
}

static void handshake_go_on(struct smtp_probe *probe)
{
    int done, reason;

    ERR_clear_error();
    done = SSL_connect(probe->ssl);
    reason = SSL_get_error(probe->ssl, done);
    if (done == 1)
        handshake_done(probe);
    else if (reason == SSL_ERROR_WANT_READ)
        probe_wait(probe, UV_READABLE);
    else if (reason == SSL_ERROR_WANT_WRITE)
        probe_wait(probe, UV_WRITABLE);
    else
        handshake_failed(probe, reason);
    ERR_clear_error();
}

static void handshake_start(struct smtp_probe *probe)
{
    probe->result.stage = SMTP_HANDSHAKE;
    probe_limit(probe, probe->reply_ms);
    probe->ssl = SSL_new(probe->tls);
    if (probe->ssl == NULL || SSL_set_fd(probe->ssl, probe->fd) != 1 ||
        SSL_set_tlsext_status_type(probe->ssl, TLSEXT_STATUSTYPE_ocsp) != 1 ||
        (probe->sni && SSL_set_tlsext_host_name(probe->ssl, probe->sni) != 1)) {
        handshake_failed(probe, SSL_ERROR_SSL);
        return;
    }
    tls_bound_watch(&probe->handshake, probe->ssl, SMTP_HANDSHAKE_MAX);
    handshake_go_on(probe);
}

static void reply_done(struct smtp_probe *probe)
{
    int code = probe->reply.code;

    if (code >= 400)
        probe_leave(probe, SMTP_END_REFUSED);
    else if (code != (probe->result.stage == SMTP_EHLO ? 250 : 220))
        probe_stop(probe, SMTP_END_BROKEN);
    else if (probe->result.stage == SMTP_GREETING)
        command_send(probe, SMTP_EHLO, "EHLO", probe->helo);
    else if (probe->result.stage == SMTP_STARTTLS)
        handshake_start(probe);
    else if (probe->offers_starttls)
        command_send(probe, SMTP_STARTTLS, "STARTTLS", "");
    else
        probe_leave(probe, SMTP_END_NO_STARTTLS);
}

static void reply_keep_text(struct smtp_probe *probe, struct slice text)
{
    struct smtp_result *result = &probe->result;
    size_t room;

    result->code = probe->reply.code;
    if (probe->reply.n_lines == 1)
        result->text_len = 0;
    if (result->text_len > 0 && result->text_len < sizeof(result->text))
        result->text[result->text_len++] = ' ';
    room = sizeof(result->text) - result->text_len;
    text = slice_range(text, 0, room);
    if (text.len > 0)
        memcpy(result->text + result->text_len, text.ptr, text.len);
    result->text_len += text.len;
}

/* The first line of the reply to EHLO names the server; each other one a keyword (RFC 5321
 * 4.1.1.1). */
static void reply_note_keyword(struct smtp_probe *probe, struct slice text)
{
    static const struct slice starttls = SLICE_BYTES("STARTTLS");
    struct slice keyword = slice_range(text, 0, slice_find_byte(text, ' '));

    if (probe->result.stage == SMTP_EHLO && probe->reply.n_lines > 1 &&
        slice_eq_nocase(keyword, starttls))
        probe->offers_starttls = true;
}

static void reply_take(struct smtp_probe *probe, struct slice input)
{
    enum smtp_reply_event event;
    struct slice text;

    do {
        event = smtp_reply_read(&probe->reply, &input, &text);
        if (event == SMTP_REPLY_LINE || event == SMTP_REPLY_LAST || event == SMTP_REPLY_BROKEN)
            reply_keep_text(probe, text);
        if (event == SMTP_REPLY_LINE || event == SMTP_REPLY_LAST)
            reply_note_keyword(probe, text);
    } while (event == SMTP_REPLY_LINE && input.len > 0);
    if (event == SMTP_REPLY_BROKEN)
        probe_stop(probe, SMTP_END_BROKEN);
    else if (event == SMTP_REPLY_TOO_LONG)
        probe_stop(probe, SMTP_END_TOO_LONG);
    else if (event == SMTP_REPLY_LAST && input.len > 0)
        probe_stop(probe, SMTP_END_UNASKED);
    else if (event == SMTP_REPLY_LAST)
        reply_done(probe);
}

static void probe_read(struct smtp_probe *probe)
{
    char input[INPUT_SIZE];
    ssize_t n = recv(probe->fd, input, sizeof(input), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (probe->is_leaving) {
        probe->farewell_len += n > 0 ? (size_t)n : 0;
        if (n <= 0 || probe->farewell_len > FAREWELL_MAX)
            probe_close(probe);
        return;
    }
    if (n > 0) {
        reply_take(probe, (struct slice){input, (size_t)n});
        return;
    }
    probe->result.sys_errno = n < 0 ? errno : 0;
    probe_stop(probe, SMTP_END_CLOSED);
}

static void probe_connected(struct smtp_probe *probe)
{
    socklen_t len = sizeof(probe->result.sys_errno);

    getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &probe->result.sys_errno, &len);
    if (probe->result.sys_errno == ECONNRESET) { /* it was connected: else ECONNREFUSED */
        probe->result.stage = SMTP_GREETING;
        probe_stop(probe, SMTP_END_CLOSED);
        return;
    }
    if (probe->result.sys_errno != 0) {
        probe_stop(probe, SMTP_END_UNREACHABLE);
        return;
    }
    probe->result.stage = SMTP_GREETING;
    probe_limit(probe, probe->reply_ms);
    probe_wait(probe, UV_READABLE);
}

/* A status below 0 is that of poll(): the socket has an error, which the calls below meet too. */
static void probe_on_socket(uv_poll_t *poll, int status, int events)
{
    struct smtp_probe *probe = poll->data;

    (void)status;
    if (probe->result.stage == SMTP_CONNECT)
        probe_connected(probe);
    else if (probe->result.stage == SMTP_HANDSHAKE && !probe->is_leaving)
        handshake_go_on(probe);
    else if (events & UV_WRITABLE)
        command_flush(probe);
    else
        probe_read(probe);
}

/* Returns an error number. */
static int probe_connect(struct smtp_probe *probe, uv_loop_t *loop, const struct sockaddr *address)
{
    socklen_t len =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), status;

    if (fd < 0)
        return errno;
    if (connect(fd, address, len) != 0 && errno != EINPROGRESS) {
        int sys_errno = errno;
        close(fd);
        return sys_errno;
    }
    status = uv_poll_init(loop, &probe->poll, fd);
    if (status < 0) {
        close(fd);
        return -status;
    }
    probe->fd = fd;
    probe->n_open++;
    probe->poll.data = probe;
    return 0;
}

static char *probe_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && copy == NULL)
        memory_fail();
    return copy;
}

struct smtp_probe *smtp_probe_start(uv_loop_t *loop, const struct sockaddr *address,
                                    const struct smtp_options *options, smtp_probed *callback,
                                    void *context)
{
    struct smtp_probe *probe = memory_alloc(sizeof(*probe));

    memset(probe, 0, sizeof(*probe));
    probe->fd = -1;
    probe->n_open = 1;
    probe->callback = callback;
    probe->context = context;
    probe->helo = probe_copy(options->helo);
    probe->sni = probe_copy(options->sni);
    probe->tls = options->tls;
    SSL_CTX_up_ref(probe->tls);
    probe->reply_ms = options->reply_ms;
    uv_update_time(loop);
    probe->started_ms = uv_now(loop);
    probe->ends_ms = probe->started_ms + options->total_ms;
    uv_timer_init(loop, &probe->timer);
    probe->timer.data = probe;
    probe->result.sys_errno = probe_connect(probe, loop, address);
    if (probe->result.sys_errno != 0) {
        probe_limit(probe, 0);
        return probe;
    }
    probe_limit(probe, options->connect_ms);
    probe_wait(probe, UV_WRITABLE);
    return probe;
}

void smtp_probe_cancel(struct smtp_probe *probe)
{
    probe->callback = NULL;
    probe_close(probe);
}
