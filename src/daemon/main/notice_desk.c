/* SPDX-License-Identifier: MIT */
#include "daemon/main/notice_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/notify/notice_book.h"
#include "daemon/notify/notice_document.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"

enum {
    NOTICES_MODE = 0600,
    OWN_PER_DOMAIN = 2,
    OWN_MORE = 2, /* conditions of no domain */
};

struct notice_desk {
    char *directory, *book_path, *document_path;
    const struct clock *clock;
    char host[HOST_NAME_MAX + 1];
    struct notice_book *book; /* NULL: not read yet */
    bool is_saved;            /* the book's file is what the book is */
    struct arena *arena;      /* of the last look */
    struct notice *notices;   /* that it has collected; none if it is a digest */
    size_t n_notices;
    bool is_digest;
};

struct notice_desk *notice_desk_new(const char *directory, const struct clock *clock)
{
    struct notice_desk *desk = memory_alloc(sizeof(*desk));

    *desk = (struct notice_desk){.directory = strdup(directory),
                                 .book_path = file_path_below(directory, NOTICES_FILE),
                                 .document_path = file_path_below(directory, NOTICE_DOCUMENT),
                                 .clock = clock};
    if (!desk->directory)
        memory_fail();
    /* Does not fail: the kernel's names are no longer than this. */
    gethostname(desk->host, sizeof(desk->host));
    return desk;
}

void notice_desk_free(struct notice_desk *desk)
{
    if (!desk)
        return;
    notice_book_free(desk->book);
    arena_free(desk->arena);
    free(desk->directory);
    free(desk->book_path);
    free(desk->document_path);
    free(desk);
}

static int64_t desk_now(const struct notice_desk *desk)
{
    return desk->clock->unix_s(desk->clock);
}

static struct notice_rules desk_rules(const struct config *config)
{
    return (struct notice_rules){.cooldown_s = config->notify_cooldown_s,
                                 .digest_s = config->notify_digest_s};
}

static void desk_read_book(struct notice_desk *desk, const struct notice_rules *rules)
{
    struct arena *arena = arena_new_large();
    struct stat status;
    struct slice text;
    struct err err;
    int result = file_read_regular(desk->book_path, NOTICE_BOOK_MAX, arena, &status, &text, &err);

    if (result == 0)
        result = notice_book_parse(text, desk_now(desk), &desk->book, &err);
    else if (err.sys_errno == ENOENT)
        err.msg[0] = '\0';
    arena_free(arena);
    desk->is_saved = result == 0;
    if (desk->is_saved)
        return;
    if (err.msg[0] != '\0')
        log_line(LOG_ERROR,
                 "notify: what was told before is not known, as '%s' cannot be used: %s; what is "
                 "open now comes with the next digest",
                 desk->book_path, err.msg);
    else
        log_line(LOG_INFO,
                 "notify: there is no '%s' yet; what is open now comes with the first "
                 "digest",
                 desk->book_path);
    desk->book = notice_book_new(rules, desk_now(desk));
}

static int desk_print_book(void *context, FILE *out)
{
    notice_book_print(context, out);
    return ferror(out);
}

static int desk_save_book(struct notice_desk *desk, struct err *err)
{
    int result = file_replace(desk->book_path, NOTICES_MODE, desk_print_book, desk->book, err);

    desk->is_saved = result == 0;
    return result;
}

static int desk_print_document(void *context, FILE *out)
{
    notice_document_print(context, out);
    return ferror(out);
}

static int desk_write_document(const struct notice_desk *desk, const struct notice *notices,
                               size_t n_notices, const struct notice_digest *digest,
                               struct err *err)
{
    struct notice_document document = {.host = desk->host,
                                       .now_unix_s = desk_now(desk),
                                       .notices = notices,
                                       .n_notices = n_notices,
                                       .digest = digest};

    return file_replace(desk->document_path, NOTICES_MODE, desk_print_document, &document, err);
}

static bool desk_has_domain(void *context, struct slice domain)
{
    return config_find_domain(context, domain) != NULL;
}

static void desk_add_refusal(const char *refusal, struct condition_list *list)
{
    list->is_known[CONDITION_RELOAD] = true;
    if (refusal)
        list->conditions[list->n_conditions++] = (struct condition){
            .kind = CONDITION_RELOAD,
            .code = slice_of("reload-refused"),
            .text = slice_of(refusal),
            .advice = slice_of("The configuration that was served before is still served. Correct "
                               "the files, see mta-stsd --test-config, then run mta-stsd "
                               "--reload.")};
}

static int desk_gather(const struct notice_desk *desk, const struct notice_look *look,
                       struct condition_list *ret_list, struct err *err)
{
    size_t n_own = OWN_PER_DOMAIN * look->config->n_domains + OWN_MORE;
    struct condition_list list;
    struct condition *conditions, *unclear;

    if (condition_list_read(desk->directory, desk->arena, &list, err) != 0)
        return -1;
    conditions = arena_array(desk->arena, list.n_conditions + n_own, sizeof(*conditions));
    unclear = arena_array(desk->arena, list.n_unclear + n_own, sizeof(*unclear));
    if (list.n_conditions > 0)
        memcpy(conditions, list.conditions, list.n_conditions * sizeof(*conditions));
    if (list.n_unclear > 0)
        memcpy(unclear, list.unclear, list.n_unclear * sizeof(*unclear));
    list.conditions = conditions;
    list.unclear = unclear;
    desk_add_refusal(look->refusal, &list);
    look->gather(look->context, look->config, desk->arena, &list);
    condition_list_sort(&list);
    *ret_list = list;
    return 0;
}

/* What changes comes first; the digest then has it too. */
static int desk_collect(struct notice_desk *desk, const struct condition_list *list,
                        const struct notice_rules *rules, struct err *err)
{
    int64_t now_unix_s = desk_now(desk);
    struct notice_digest digest;

    desk->is_digest = false;
    desk->n_notices =
        notice_book_collect(desk->book, list, rules, now_unix_s, desk->arena, &desk->notices);
    if (desk->n_notices > 0)
        return desk_write_document(desk, desk->notices, desk->n_notices, NULL, err);
    if (!notice_book_is_digest_due(desk->book, rules, now_unix_s))
        return 0;
    desk->n_notices = notice_book_sum_up(desk->book, list, desk->arena, &desk->notices, &digest);
    if (desk->n_notices == 0) {
        notice_book_accept_digest(desk->book, rules, now_unix_s);
        return desk_save_book(desk, err);
    }
    desk->is_digest = true;
    return desk_write_document(desk, desk->notices, desk->n_notices, &digest, err);
}

int notice_desk_look(struct notice_desk *desk, const struct notice_look *look,
                     struct notice_task *ret_task, struct err *err)
{
    struct notice_rules rules = desk_rules(look->config);
    struct condition_list list;

    if (!desk->book)
        desk_read_book(desk, &rules);
    arena_free(desk->arena);
    desk->arena = arena_new_large();
    if (desk_gather(desk, look, &list, err) != 0)
        return -1;
    if (notice_book_take(desk->book, &list, &rules, desk_now(desk), desk_has_domain,
                         (void *)(uintptr_t)look->config))
        desk->is_saved = false;
    if (!desk->is_saved && desk_save_book(desk, err) != 0)
        return -1;
    if (desk_collect(desk, &list, &rules, err) != 0)
        return -1;
    *ret_task = (struct notice_task){.n_notices = desk->n_notices,
                                     .is_digest = desk->is_digest,
                                     .recheck_unix_s = list.recheck_unix_s};
    return 0;
}

int notice_desk_write_test(struct notice_desk *desk, struct err *err)
{
    const struct notice test = {
        .event = NOTICE_TEST,
        .condition = {.code = slice_of("test"),
                      .text = slice_of("This is a test: nothing has begun or ended."),
                      .advice = slice_of("There is nothing to do.")},
        .since_unix_s = desk_now(desk)};

    return desk_write_document(desk, &test, 1, NULL, err);
}

int notice_desk_open(const struct notice_desk *desk, struct err *err)
{
    int fd = open(desk->document_path, O_RDONLY | O_CLOEXEC);

    return fd >= 0 ? fd : err_io(err, errno, "'%s' cannot be read", desk->document_path);
}

int notice_desk_accept(struct notice_desk *desk, const struct config *config, struct err *err)
{
    struct notice_rules rules = desk_rules(config);

    if (desk->is_digest)
        notice_book_accept_digest(desk->book, &rules, desk_now(desk));
    else
        notice_book_accept(desk->book, desk->notices, desk->n_notices, desk_now(desk));
    return desk_save_book(desk, err);
}
