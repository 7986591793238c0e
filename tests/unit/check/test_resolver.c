/* SPDX-License-Identifier: MIT */
/* What answers say is tested in tests/check, with real name servers. Here none ever answers. */
#include "check/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/dns_source.h"
#include "lib/base/err.h"

enum {
    ASKED = 48,
    TIMEOUT_MS = 200,
};

#define LABEL_TOO_LONG "a234567890123456789012345678901234567890123456789012345678901234"

enum deed {
    DEED_NONE,
    DEED_CANCEL_NEIGHBOURS,
    DEED_ASK_AGAIN,
};

struct asker;

struct asked {
    struct asker *asker;
    struct dns_query *query; /* NULL: over */
    unsigned n_answers;
};

struct asker {
    uv_loop_t loop;
    struct resolver *resolver;
    int socket; /* of the name server that is silent */
    enum deed deed;
    bool is_mixed;
    unsigned n_answers, n_asked_again;
    struct asked asked[ASKED];
};

static void asker_ask(struct asker *asker, size_t nth);

static void asker_cancel(struct asker *asker, size_t nth)
{
    struct dns_source *source = resolver_source(asker->resolver);

    if (nth < ASKED && asker->asked[nth].query) {
        source->cancel(asker->asked[nth].query);
        asker->asked[nth].query = NULL;
    }
}

static void on_answered(void *context, const struct dns_answer *answer)
{
    struct asked *asked = context;
    struct asker *asker = asked->asker;
    size_t nth = (size_t)(asked - asker->asked);

    assert_int_equal(answer->status, DNS_FAILED);
    assert_true(answer->why[0] != '\0');
    assert_non_null(asked->query);
    asked->query = NULL;
    asked->n_answers++;
    asker->n_answers++;
    if (asker->deed == DEED_CANCEL_NEIGHBOURS) {
        asker_cancel(asker, nth + 1);
        asker_cancel(asker, nth - 1);
    }
    if (asker->deed == DEED_ASK_AGAIN && asker->n_asked_again < ASKED) {
        asker->n_asked_again++;
        asker_ask(asker, nth);
    }
}

/* Every third question is none, to libunbound, if they are mixed. */
static void asker_ask(struct asker *asker, size_t nth)
{
    struct dns_source *source = resolver_source(asker->resolver);
    char name[128];

    snprintf(name, sizeof(name), "%s%zu.example",
             asker->is_mixed && nth % 3 == 2 ? LABEL_TOO_LONG : "n", nth);
    asker->asked[nth].asker = asker;
    asker->asked[nth].query =
        source->ask(source, name, DNS_TYPE_A, on_answered, &asker->asked[nth]);
}

static void asker_run(struct asker *asker, enum deed deed, bool is_mixed)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    char forwarder[64];
    struct err err;

    *asker = (struct asker){.deed = deed,
                            .is_mixed = is_mixed,
                            .socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(asker->socket, (struct sockaddr *)&address, size), 0);
    getsockname(asker->socket, (struct sockaddr *)&address, &size);
    snprintf(forwarder, sizeof(forwarder), "127.0.0.1@%u", ntohs(address.sin_port));
    assert_int_equal(uv_loop_init(&asker->loop), 0);
    asker->resolver = resolver_new(
        &asker->loop, &(struct resolver_options){.forwarder = forwarder, .timeout_ms = TIMEOUT_MS},
        &err);
    assert_non_null(asker->resolver);
    for (size_t i = 0; i < ASKED; i++)
        asker_ask(asker, i);
    assert_int_equal(asker->n_answers, 0); /* never from inside */
    uv_run(&asker->loop, UV_RUN_DEFAULT);
    resolver_free(asker->resolver);
    uv_run(&asker->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&asker->loop), 0);
    close(asker->socket);
}

static void test_silence(void **state)
{
    struct asker asker;

    (void)state;
    asker_run(&asker, DEED_NONE, true);
    assert_int_equal(asker.n_answers, ASKED);
}

/* All run out together: each that is answered was not cancelled before. */
static void test_cancel(void **state)
{
    struct asker asker;

    (void)state;
    for (int is_mixed = 0; is_mixed <= 1; is_mixed++) {
        asker_run(&asker, DEED_CANCEL_NEIGHBOURS, is_mixed);
        assert_in_range(asker.n_answers, ASKED / 3, ASKED - 1);
        for (size_t i = 0; i < ASKED; i++) {
            assert_null(asker.asked[i].query);
            assert_in_range(asker.asked[i].n_answers, 0, 1);
        }
    }
}

static void test_ask_again(void **state)
{
    struct asker asker;

    (void)state;
    asker_run(&asker, DEED_ASK_AGAIN, true);
    assert_int_equal(asker.n_answers, 2 * ASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_ask_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
