/* SPDX-License-Identifier: MIT */
#include "check/http_fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "check/curl_loop.h"
#include "check/mx_trust.h"
#include "check/special_address.h"
#include "check/tls_bound.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/dns/name.h"
#include "lib/policy/policy.h"

enum {
    HEADER_MAX = 256,
    WHY_MAX = 300,
    CONNECT_SHARE = 2, /* of the time limit, for the connection with its handshake */
    BODY_MIN = 1024,
    BODY_MAX = POLICY_FETCH_MAX + 1,
    HEADERS_MAX = 64 * 1024,     /* bytes of all, those of interim answers and trailers counted */
    CONNECTION_MAX = 512 * 1024, /* bytes on the wire: certificates have up to 100 KiB */
};

struct http_fetcher {
    struct curl_loop *curl;
    const struct mx_trust *trust;
    uint64_t timeout_ms;
};

/* A header's value as it came, cut. */
struct header_value {
    bool is_sent;
    char text[HEADER_MAX];
};

struct http_fetch {
    struct http_fetcher *fetcher;
    CURL *easy;
    struct curl_slist *goal, *headers;
    http_fetched *callback;
    void *context;
    char host[DNS_NAME_MAX + 1];
    char error[CURL_ERROR_SIZE];
    struct http_result result;
    struct header_value media_type, location, encoding, etag, last_modified;
    char *body;
    size_t body_len, body_size, headers_len;
    struct tls_bound bound;
};

static void fetch_free(struct http_fetch *fetch)
{
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->goal);
    curl_slist_free_all(fetch->headers);
    free(fetch->body);
    free(fetch);
}

/* Judges what the server has shown, and lets the handshake go on. */
static int fetch_on_certificate(X509_STORE_CTX *store, void *context)
{
    struct http_fetch *fetch = context;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);

    if (chain && sk_X509_num(chain) > 0) {
        fetch->result.has_cert = true;
        mx_cert_judge(fetch->fetcher->trust, chain, fetch->host, (int64_t)time(NULL),
                      &fetch->result.cert);
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void fetch_on_handshake(const SSL *ssl, int where, int value)
{
    struct http_fetch *fetch = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    (void)value;
    if (fetch->bound.max == 0)
        tls_bound_watch(&fetch->bound, ssl, CONNECTION_MAX);
    if (where & SSL_CB_HANDSHAKE_DONE)
        fetch->result.tls_version = SSL_version(ssl);
}

/* What is too old for any sender is to be described, not refused. */
static CURLcode fetch_on_context(CURL *easy, void *ssl_context, void *context)
{
    SSL_CTX *ssl = ssl_context;

    (void)easy;
    SSL_CTX_set_app_data(ssl, context);
    SSL_CTX_set_cert_verify_callback(ssl, fetch_on_certificate, context);
    SSL_CTX_set_info_callback(ssl, fetch_on_handshake);
    SSL_CTX_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_CTX_set_cipher_list(ssl, "DEFAULT:@SECLEVEL=0");
    tls_bound_primes(ssl);
    return CURLE_OK;
}

/* Not byte by byte: a server may send chunks of one. */
static void fetch_make_room(struct http_fetch *fetch, size_t len)
{
    size_t size = fetch->body_size > 0 ? fetch->body_size : BODY_MIN;

    while (size < fetch->body_len + len)
        size *= 2;
    if (size > fetch->body_size)
        fetch->body = memory_resize(fetch->body, size, 1);
    fetch->body_size = size;
}

static size_t fetch_on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_fetch *fetch = context;
    size_t len = size * n, room = BODY_MAX - fetch->body_len;
    size_t kept = len < room ? len : room;

    if (kept > 0) {
        fetch_make_room(fetch, kept);
        memcpy(fetch->body + fetch->body_len, bytes, kept);
        fetch->body_len += kept;
    }
    return kept == len && fetch->body_len < BODY_MAX ? len : 0;
}

static void header_take(struct slice line, const char *name, struct header_value *value)
{
    size_t colon = slice_find_byte(line, ':');

    if (!slice_eq_nocase(slice_range(line, 0, colon), slice_of(name)))
        return;
    line = slice_range(line, colon + 1, line.len);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
        line.len--;
    line = slice_trim(line);
    value->is_sent = true;
    snprintf(value->text, sizeof(value->text), "%.*s", SLICE_ARG(line));
}

static size_t fetch_on_header(const char *bytes, size_t size, size_t n, void *context)
{
    struct http_fetch *fetch = context;
    struct {
        const char *name;
        struct header_value *value;
    } const headers[] = {
        {"content-type", &fetch->media_type},     {"location", &fetch->location},
        {"content-encoding", &fetch->encoding},   {"etag", &fetch->etag},
        {"last-modified", &fetch->last_modified},
    };
    struct slice line = {bytes, size * n};

    /* libcurl bounds a line, and keeps all lines (CVE-2023-38039). */
    fetch->headers_len += line.len;
    if (fetch->headers_len > HEADERS_MAX)
        return 0;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (slice_starts_with(line, "HTTP/")) /* the headers of the final answer begin anew */
            headers[i].value->is_sent = false;
        else
            header_take(line, headers[i].name, headers[i].value);
    return line.len;
}

/* What is more than any server has to send; the end of a sentence, or NULL. libcurl calls a header
 * line beyond its bound a lack of memory, which would have ended the program. */
static const char *fetch_excess(const struct http_fetch *fetch, CURLcode code)
{
    if (fetch->headers_len > HEADERS_MAX || code == CURLE_OUT_OF_MEMORY)
        return "it has more than 64 KiB of headers";
    return fetch->bound.is_exceeded ? "the server sends more than 512 KiB" : NULL;
}

static enum http_end fetch_end_of(const struct http_fetch *fetch, CURLcode code)
{
    long sys_errno = 0;

    curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &sys_errno);
    if (fetch_excess(fetch, code))
        return fetch->result.tls_version == 0 ? HTTP_NO_TLS : HTTP_BROKEN;
    switch (code) {
    case CURLE_OK:
        return HTTP_DONE;
    case CURLE_WRITE_ERROR: /* enough was read */
        return fetch->body_len == BODY_MAX ? HTTP_DONE : HTTP_BROKEN;
    case CURLE_COULDNT_CONNECT:
        return sys_errno == ENETUNREACH || sys_errno == EADDRNOTAVAIL || sys_errno == EAFNOSUPPORT
                   ? HTTP_NOT_ROUTED
                   : HTTP_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return fetch->bound.max > 0 ? HTTP_TOO_SLOW : HTTP_UNREACHABLE; /* TLS had begun */
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return HTTP_NO_TLS;
    default:
        return fetch->result.tls_version == 0 ? HTTP_NO_TLS : HTTP_BROKEN;
    }
}

static struct slice header_slice(const struct header_value *value)
{
    return value->is_sent ? slice_of(value->text) : (struct slice){NULL, 0};
}

static void fetch_on_done(CURL *easy, CURLcode code)
{
    struct http_fetch *fetch;
    char *private, why[WHY_MAX];
    const char *excess;
    double total_s = 0;
    long sys_errno = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    fetch = (struct http_fetch *)(void *)private;
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME, &total_s);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &fetch->result.status);
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &sys_errno);
    fetch->result.end = fetch_end_of(fetch, code);
    fetch->result.time_ms = (uint32_t)(total_s * 1000);
    fetch->result.media_type = header_slice(&fetch->media_type);
    fetch->result.location = header_slice(&fetch->location);
    fetch->result.encoding = header_slice(&fetch->encoding);
    fetch->result.etag = header_slice(&fetch->etag);
    fetch->result.last_modified = header_slice(&fetch->last_modified);
    fetch->result.body = (struct slice){fetch->body, fetch->body_len};
    excess = fetch_excess(fetch, code);
    if (excess)
        snprintf(why, sizeof(why), "%s", excess);
    else if (sys_errno != 0 && code == CURLE_COULDNT_CONNECT)
        snprintf(why, sizeof(why), "%s", strerror((int)sys_errno));
    else
        err_quote(
            why, sizeof(why),
            slice_of(tls_bound_words(fetch->error[0] ? fetch->error : curl_easy_strerror(code))));
    fetch->result.why = fetch->result.end == HTTP_DONE ? "" : why;
    fetch->callback(fetch->context, &fetch->result);
    fetch_free(fetch);
}

struct http_fetcher *http_fetcher_new(uv_loop_t *loop, const struct mx_trust *trust,
                                      uint64_t timeout_ms, struct err *err)
{
    struct curl_loop *curl = curl_loop_new(loop, fetch_on_done);
    struct http_fetcher *fetcher;

    if (!curl) {
        err_set(err, ERR_CONFIG, "libcurl cannot begin");
        return NULL;
    }
    fetcher = memory_alloc(sizeof(*fetcher));
    *fetcher = (struct http_fetcher){curl, trust, timeout_ms};
    return fetcher;
}

void http_fetcher_free(struct http_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    curl_loop_free(fetcher->curl);
    free(fetcher);
}

static uint16_t address_port(const struct sockaddr *address)
{
    return ntohs(address->sa_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* An address in place of the host in the URL is what libcurl puts into no handshake. */
static void fetch_set_goal(struct http_fetch *fetch, const char *path,
                           const struct sockaddr *address, const struct http_manner *manner)
{
    char text[ADDRESS_TEXT_SIZE], literal[ADDRESS_TEXT_SIZE + 2], line[2 * DNS_NAME_MAX];
    unsigned port = address_port(address);

    snprintf(literal, sizeof(literal), address->sa_family == AF_INET6 ? "[%s]" : "%s",
             special_address_text(address, text));
    snprintf(line, sizeof(line), "%s:%u:%s:%u", fetch->host, port, literal, port);
    fetch->goal = curl_slist_append(NULL, line);
    curl_easy_setopt(fetch->easy, CURLOPT_CONNECT_TO, fetch->goal);
    curl_easy_setopt(fetch->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L); /* or each address is kept */
    snprintf(line, sizeof(line), "https://%s:%u%s",
             manner->asks_no_server_name ? literal : fetch->host, port, path);
    curl_easy_setopt(fetch->easy, CURLOPT_URL, line);
}

static void fetch_set_headers(struct http_fetch *fetch, const struct http_manner *manner)
{
    const char *host = manner->header_host           ? manner->header_host
                       : manner->asks_no_server_name ? fetch->host
                                                     : NULL;
    char line[DNS_NAME_MAX + 8];

    if (host) {
        snprintf(line, sizeof(line), "Host: %s", host);
        fetch->headers = curl_slist_append(fetch->headers, line);
    }
    for (size_t i = 0; i < sizeof(manner->headers) / sizeof(manner->headers[0]); i++)
        if (manner->headers[i])
            fetch->headers = curl_slist_append(fetch->headers, manner->headers[i]);
    curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers);
    curl_easy_setopt(fetch->easy, CURLOPT_USERAGENT,
                     manner->user_agent ? manner->user_agent : "mta-stsd-check");
}

static void fetch_set_manner(struct http_fetch *fetch, const struct http_manner *manner)
{
    static const long versions[] = {
        [HTTP_1_1] = CURL_HTTP_VERSION_1_1,
        [HTTP_1_1_WITHOUT_ALPN] = CURL_HTTP_VERSION_1_1,
        [HTTP_2] = CURL_HTTP_VERSION_2TLS,
        [HTTP_1_0] = CURL_HTTP_VERSION_1_0,
    };
    long newest = manner->tls_newest == TLS1_2_VERSION ? CURL_SSLVERSION_MAX_TLSv1_2 : 0;

    curl_easy_setopt(fetch->easy, CURLOPT_HTTP_VERSION, versions[manner->protocol]);
    curl_easy_setopt(fetch->easy, CURLOPT_SSL_ENABLE_ALPN,
                     manner->protocol == HTTP_1_1 || manner->protocol == HTTP_2 ? 1L : 0L);
    curl_easy_setopt(fetch->easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_0 | newest);
    fetch_set_headers(fetch, manner);
}

/* What is the same in all fetches. */
static void fetch_set_common(struct http_fetch *fetch)
{
    CURL *easy = fetch->easy;
    long timeout_ms = (long)fetch->fetcher->timeout_ms;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* of the environment: a sender has none */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms / CONNECT_SHARE);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* fetch_on_certificate() judges */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CAINFO,
                     NULL); /* or each fetch reads all of the system's roots */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, fetch_on_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fetch_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, fetch_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
}

struct http_fetch *http_fetch_start(struct http_fetcher *fetcher, const char *host,
                                    const char *path, const struct sockaddr *address,
                                    const struct http_manner *manner, http_fetched *callback,
                                    void *context)
{
    static const struct http_manner ordinary = {0};
    struct http_fetch *fetch = memory_alloc(sizeof(*fetch));

    *fetch = (struct http_fetch){
        .fetcher = fetcher,
        .easy = curl_easy_init(),
        .callback = callback,
        .context = context,
    };
    if (!fetch->easy)
        memory_fail();
    snprintf(fetch->host, sizeof(fetch->host), "%s", host);
    manner = manner ? manner : &ordinary;
    fetch_set_goal(fetch, path, address, manner);
    fetch_set_manner(fetch, manner);
    fetch_set_common(fetch);
    curl_loop_add(fetcher->curl, fetch->easy);
    return fetch;
}

void http_fetch_cancel(struct http_fetch *fetch)
{
    if (fetch == NULL)
        return;
    curl_loop_remove(fetch->fetcher->curl, fetch->easy);
    fetch_free(fetch);
}
