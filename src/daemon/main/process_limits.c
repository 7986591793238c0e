/* SPDX-License-Identifier: MIT */
#include "daemon/main/process_limits.h"

#include <pthread.h>
#include <sys/resource.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

enum {
    STACK_SIZE = 1024 * 1024,   /* h2o copies names to the stack */
    DESCRIPTORS_RESERVED = 128, /* files, pipes, the log, libraries */
};

int process_limits_raise_descriptors(const struct config *config, size_t n_workers, size_t *ret_max,
                                     struct err *err)
{
    size_t reserve = DESCRIPTORS_RESERVED + n_workers * (config->n_listen + 8);
    size_t needed = reserve + n_workers; /* a connection each */
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < needed)
        return err_set(err, ERR_LIMIT,
                       "the limit of %zu descriptors is too low; %zu are needed (workers: %zu, "
                       "listeners: %zu); raise LimitNOFILE= or ulimit -n",
                       (size_t)limit.rlim_max, needed, n_workers, config->n_listen);
    *ret_max = limit.rlim_max - reserve;
    if (*ret_max < config->connections_max)
        log_line(LOG_WARNING,
                 "limits.connections is %u, but the limit of %zu descriptors allows %zu; raise "
                 "LimitNOFILE= or ulimit -n",
                 config->connections_max, (size_t)limit.rlim_max, *ret_max);
    return 0;
}

/*
 * A small limit must not be the end of a worker, and a large one, for each thread, not that of a
 * small container. libuv goes by the limit itself.
 */
void process_limits_set_stacks(void)
{
    pthread_attr_t attributes;
    struct rlimit limit;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = limit.rlim_max < STACK_SIZE ? limit.rlim_max : STACK_SIZE;
    setrlimit(RLIMIT_STACK, &limit);
}
