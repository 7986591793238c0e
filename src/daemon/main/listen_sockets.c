/* SPDX-License-Identifier: MIT */
#include "daemon/main/listen_sockets.h"

#include <stdbool.h>
#include <stdlib.h>

#include "daemon/confine/privileges.h"
#include "daemon/main/systemd.h"
#include "daemon/net/listen.h"
#include "daemon/net/socket_hint.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

struct listen_sockets {
    struct passed_sockets passed;
    size_t n_workers;
    int *fds;       /* n_listen rows of one a worker */
    bool has_files; /* that are ours to remove */
};

int listen_sockets_new(struct listen_sockets **ret_sockets, struct err *err)
{
    struct listen_sockets *sockets = memory_alloc(sizeof(*sockets));

    *sockets = (struct listen_sockets){.fds = NULL};
    if (passed_sockets_receive(&sockets->passed, err) != 0) {
        free(sockets);
        return -1;
    }
    *ret_sockets = sockets;
    return 0;
}

void listen_sockets_free(struct listen_sockets *sockets)
{
    if (!sockets)
        return;
    free(sockets->fds);
    free(sockets);
}

static int open_address(struct listen_sockets *sockets, const struct account *account,
                        const struct listen_address *address, int *fds, size_t n_fds,
                        char name[SOCKET_NAME_MAX], struct err *err)
{
    struct passed_sockets *passed = &sockets->passed;

    if (passed_sockets_open(passed, address, fds, n_fds, name, err) != 0)
        return -1;
    if (address->kind != LISTEN_UNIX || passed_sockets_have(passed, address))
        return 0;
    return account_chown(account, address->host, err);
}

static const char *listen_words(const struct listen_address *address)
{
    if (address->serves_challenges)
        return "challenges";
    return address->has_tls ? "TLS" : "plain";
}

int listen_sockets_open(struct listen_sockets *sockets, const struct config *config,
                        const struct account *account, size_t n_workers, struct err *err)
{
    sockets->n_workers = n_workers;
    sockets->fds = memory_alloc((config->n_listen * n_workers + 1) * sizeof(int));
    for (size_t i = 0; i < config->n_listen; i++) {
        const struct listen_address *address = &config->listen[i];
        char name[SOCKET_NAME_MAX];

        if (open_address(sockets, account, address, sockets->fds + i * n_workers, n_workers, name,
                         err) != 0) {
            while (i-- > 0)
                sockets_close(&config->listen[i], sockets->fds + i * n_workers, n_workers);
            return -1;
        }
        log_line(LOG_INFO, "listening on %s (%s)", name, listen_words(address));
    }
    sockets->has_files = true;
    return 0;
}

int listen_sockets_fd(const struct listen_sockets *sockets, size_t listener, size_t worker)
{
    return sockets->fds[listener * sockets->n_workers + worker];
}

int listen_sockets_open_admin(struct listen_sockets *sockets, const struct config *config,
                              const struct account *account, int *ret_fd, struct err *err)
{
    const struct listen_address *address = config->admin;
    char name[SOCKET_NAME_MAX];

    if (open_address(sockets, account, address, ret_fd, 1, name, err) != 0) {
        int reason = err->sys_errno;
        char hint[SOCKET_HINT_MAX];

        err_io(err, reason, "admin: '%s' cannot be opened", address->text);
        /* A default that is taken stops nothing. */
        return address->is_default ? -1 : err_add(err, socket_hint(address, reason, hint));
    }
    log_line(LOG_INFO, "listening on %s (admin)", name);
    return 0;
}

int listen_sockets_check(const struct listen_sockets *sockets, struct err *err)
{
    return passed_sockets_check(&sockets->passed, err);
}

void listen_sockets_remove_files(struct listen_sockets *sockets, const struct config *config)
{
    if (!sockets->has_files)
        return;
    for (size_t i = 0; i < config->n_listen; i++)
        if (!passed_sockets_have(&sockets->passed, &config->listen[i]))
            sockets_close(&config->listen[i], NULL, 0);
    if (config->admin)
        sockets_close(config->admin, NULL, 0);
    sockets->has_files = false;
}
