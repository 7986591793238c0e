/* SPDX-License-Identifier: MIT */
/*
 * bench_load: fetches policies as senders do (connect, full handshake with SNI, GET, read to the
 * end, close), checks every answer, and prints how it went as JSON.
 *
 * Each connection of the --connections is a thread that makes one fetch after the other. With
 * --rate each fetch has a time at which it is due, and its duration counts from then, so that a
 * server that falls behind is not spared.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

enum {
    CONNECTIONS_MAX = 256,
    ANSWER_MAX = 65536,
    TIMEOUT_S = 10, /* of one read or write */
};

static const int64_t second_ns = 1000000000;

struct target {
    char *host;
    char *body;
};

/* Only read once the threads run, but for the counters and each fetch's own duration. */
static struct load {
    unsigned long port, n_fetches, n_connections;
    unsigned long seed, first; /* seed 0: hosts in order, from `first` on */
    unsigned long rate;        /* fetches a second; 0: as many as the connections make */
    const char *targets_path;  /* a line for each host: name, tab, body with \r and \n escaped */
    const char *certificates;  /* folder; NULL: certificates are not checked */
    struct target *targets;
    size_t n_targets;
    SSL_CTX *context;
    int64_t start_ns;
    float *durations_ms; /* by fetch; negative: it failed */
    atomic_size_t n_started;
    atomic_size_t n_failed;
} load = {.n_connections = 16};

_Noreturn static void load_fail(const char *what)
{
    fprintf(stderr, "bench_load: %s\n", what);
    exit(2);
}

static int64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second_ns + time.tv_nsec;
}

/* splitmix64: the same hosts in every run with the same seed. */
static uint64_t mix_number(uint64_t z)
{
    z *= 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static const struct target *choose_target(size_t number)
{
    uint64_t index = load.seed ? mix_number((load.seed << 32) + number) : load.first + number;

    return &load.targets[index % load.n_targets];
}

static void unescape_body(char *body)
{
    char *to = body;

    for (const char *from = body; *from; from++)
        *to++ = *from != '\\' ? *from : *++from == 'r' ? '\r' : '\n';
    *to = '\0';
}

static void read_targets(void)
{
    FILE *in = fopen(load.targets_path, "r");
    size_t capacity = 0, size = 0;
    char *line = NULL;

    if (!in)
        load_fail("the file of targets cannot be read");
    while (getline(&line, &size, in) > 0) {
        char *host = strtok(line, "\t"), *body = strtok(NULL, "\n");

        if (!body)
            load_fail("a line of the targets has no body");
        if (load.n_targets == capacity) {
            capacity = capacity * 2 + 1024;
            load.targets = reallocarray(load.targets, capacity, sizeof(*load.targets));
            if (!load.targets)
                load_fail("no memory");
        }
        unescape_body(body);
        load.targets[load.n_targets++] = (struct target){strdup(host), strdup(body)};
    }
    free(line);
    fclose(in);
    if (load.n_targets == 0)
        load_fail("there is no target");
}

/* Returns a connected socket or -1. */
static int connect_socket(void)
{
    static const int on = 1;
    static const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)load.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (const struct sockaddr *)&server, sizeof(server)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int has_own_certificate(SSL *ssl, const char *host)
{
    char path[4096];
    X509 *wanted;
    FILE *in;
    int is_own;

    snprintf(path, sizeof(path), "%s/%s/fullchain.pem", load.certificates, host);
    in = fopen(path, "r");
    if (!in)
        load_fail("a certificate cannot be read");
    wanted = PEM_read_X509(in, NULL, NULL, NULL);
    is_own = wanted && X509_cmp(wanted, SSL_get0_peer_certificate(ssl)) == 0;
    X509_free(wanted);
    fclose(in);
    return is_own;
}

/* Returns NULL, or what is wrong with the answer. */
static const char *check_answer(const char *answer, const struct target *target)
{
    static const char status[] = "HTTP/1.1 200 ";
    const char *body = strstr(answer, "\r\n\r\n");

    if (!body)
        return "the answer is cut";
    if (strncmp(answer, status, strlen(status)) != 0)
        return "the status is not 200";
    return strcmp(body + 4, target->body) == 0 ? NULL : "the body is not the host's";
}

/* Asks on a connection that is established. Returns NULL, or what went wrong. */
static const char *exchange(SSL *ssl, const struct target *target)
{
    char request[512], answer[ANSWER_MAX];
    size_t len = 0;
    int n = snprintf(request, sizeof(request),
                     "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
                     "Host: %s\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n",
                     target->host);

    if (load.certificates && !has_own_certificate(ssl, target->host))
        return "the certificate is not the host's";
    if (SSL_write(ssl, request, n) != n)
        return "the request cannot be sent";
    while (len < sizeof(answer) - 1 &&
           (n = SSL_read(ssl, answer + len, (int)(sizeof(answer) - 1 - len))) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    return check_answer(answer, target);
}

/* Returns NULL, or what went wrong. */
static const char *fetch_policy(const struct target *target)
{
    const char *fault;
    int fd = connect_socket();
    SSL *ssl;

    if (fd < 0)
        return "there is no connection";
    ssl = SSL_new(load.context);
    if (!ssl || !SSL_set_fd(ssl, fd) || !SSL_set_tlsext_host_name(ssl, target->host))
        load_fail("no memory");
    fault = SSL_connect(ssl) == 1 ? exchange(ssl, target) : "the handshake failed";
    SSL_free(ssl);
    close(fd);
    return fault;
}

/* When a fetch is due; now, if there is no rate. */
static int64_t wait_until_due(size_t number)
{
    int64_t due_ns;
    struct timespec due;

    if (load.rate == 0)
        return now_ns();
    due_ns = load.start_ns + (int64_t)((double)number / (double)load.rate * (double)second_ns);
    due = (struct timespec){.tv_sec = due_ns / second_ns, .tv_nsec = due_ns % second_ns};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    return due_ns;
}

static void *connection_run(void *unused)
{
    size_t number;

    while ((number = atomic_fetch_add(&load.n_started, 1)) < load.n_fetches) {
        const struct target *target = choose_target(number);
        int64_t due_ns = wait_until_due(number);
        const char *fault = fetch_policy(target);

        load.durations_ms[number] = fault ? -1.0F : (float)(now_ns() - due_ns) / 1e6F;
        if (fault && atomic_fetch_add(&load.n_failed, 1) == 0)
            fprintf(stderr, "bench_load: %s: %s\n", target->host, fault);
    }
    return unused;
}

static void run_connections(void)
{
    pthread_t threads[CONNECTIONS_MAX];

    load.start_ns = now_ns();
    for (size_t i = 0; i < load.n_connections; i++)
        if (pthread_create(&threads[i], NULL, connection_run, NULL) != 0)
            load_fail("a thread cannot be made");
    for (size_t i = 0; i < load.n_connections; i++)
        pthread_join(threads[i], NULL);
}

static int compare_durations(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

/* Of the good ones: sorted, those that failed come first. */
static double percentile_ms(double part)
{
    size_t n_good = load.n_fetches - load.n_failed;

    if (n_good == 0)
        return 0.0;
    return (double)load.durations_ms[load.n_failed + (size_t)(part * (double)(n_good - 1) + 0.5)];
}

static void print_result(void)
{
    qsort(load.durations_ms, load.n_fetches, sizeof(*load.durations_ms), compare_durations);
    printf("{\"fetches\": %zu, \"failures\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"p999_ms\": %.3f}\n",
           load.n_fetches - load.n_failed, (size_t)load.n_failed, percentile_ms(0.5),
           percentile_ms(0.99), percentile_ms(0.999));
}

static void parse_options(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned long *number;
        const char **text;
    } rows[] = {
        {"--port", &load.port, NULL},
        {"--targets", NULL, &load.targets_path},
        {"--certificates", NULL, &load.certificates},
        {"--fetches", &load.n_fetches, NULL},
        {"--connections", &load.n_connections, NULL},
        {"--rate", &load.rate, NULL},
        {"--seed", &load.seed, NULL},
        {"--first", &load.first, NULL},
    };
    size_t n_rows = sizeof(rows) / sizeof(rows[0]), row;

    for (int i = 1; i + 1 < argc; i += 2) {
        for (row = 0; row < n_rows && strcmp(rows[row].name, argv[i]) != 0; row++)
            ;
        if (row == n_rows)
            load_fail("an option is unknown");
        if (rows[row].text)
            *rows[row].text = argv[i + 1];
        else
            *rows[row].number = strtoul(argv[i + 1], NULL, 10);
    }
    if (load.port == 0 || !load.targets_path || load.n_fetches == 0 || load.n_connections == 0 ||
        load.n_connections > CONNECTIONS_MAX)
        load_fail("--port, --targets and --fetches are needed, and at most 256 --connections");
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    read_targets();
    signal(SIGPIPE, SIG_IGN);
    load.context = SSL_CTX_new(TLS_client_method());
    load.durations_ms = calloc(load.n_fetches, sizeof(*load.durations_ms));
    if (!load.context || !load.durations_ms)
        load_fail("no memory");
    run_connections();
    print_result();
    for (size_t i = 0; i < load.n_targets; i++) {
        free(load.targets[i].host);
        free(load.targets[i].body);
    }
    free(load.targets);
    free(load.durations_ms);
    SSL_CTX_free(load.context);
    return 0;
}
