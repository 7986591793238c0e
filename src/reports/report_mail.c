/* SPDX-License-Identifier: MIT */
#include "reports/report_mail.h"

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"
#include "reports/mail_origin.h"
#include "reports/report_file_name.h"
#include "reports/report_magic.h"
#include "reports/report_part.h"

struct report_mail_reader {
    const char *authserv_id;
};

/* One mail, or a mail within it, while its parts are read. */
struct mail_frame {
    GMimeMessage *message;
    bool is_declared; /* its fields say that it is a TLS report */
    struct mail_origin origin;
};

struct mail_walk {
    const struct report_taker *taker;
    struct err *err;
    size_t n_given;
    bool is_declared; /* so does a mail within the mail */
    bool is_too_deep; /* what follows is not read */
};

struct report_mail_reader *report_mail_reader_new(const char *authserv_id)
{
    struct report_mail_reader *reader = memory_alloc(sizeof(*reader));

    *reader = (struct report_mail_reader){.authserv_id = authserv_id};
    g_mime_init(); /* never ended: GMime cannot be started again after g_mime_shutdown() */
    return reader;
}

void report_mail_reader_free(struct report_mail_reader *reader)
{
    free(reader);
}

static const char *message_field(GMimeMessage *message, const char *name)
{
    return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

static bool message_is_declared(GMimeMessage *message)
{
    GMimeObject *body = g_mime_message_get_mime_part(message);
    GMimeContentType *type = body ? g_mime_object_get_content_type(body) : NULL;
    const char *report_type;

    if (message_field(message, "TLS-Report-Domain") ||
        message_field(message, "TLS-Report-Submitter"))
        return true;
    if (!type || !g_mime_content_type_is_type(type, "multipart", "report"))
        return false;
    report_type = g_mime_content_type_get_parameter(type, "report-type");
    return report_type && slice_eq_nocase(slice_of(report_type), slice_of("tlsrpt"));
}

/* "application/tlsrpt+gzip", and what senders make of it: without "+gzip", with "+zip". */
static bool type_is_report(struct slice content_type)
{
    static const struct slice begin = SLICE_BYTES("application/tlsrpt");

    return slice_eq_nocase(slice_range(content_type, 0, begin.len), begin);
}

/* The bytes of a part, as they were before the sender encoded them for mail; the caller frees. */
static GByteArray *part_decode(GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);

    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    if (content)
        g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return bytes;
}

static int walk_give(struct mail_walk *walk, const struct report_part *part)
{
    walk->n_given++;
    return walk->taker->take(walk->taker->context, part, walk->err);
}

/* Decides by the first bytes; a part without them has to be called a report by its own fields. */
static int walk_leaf(struct mail_walk *walk, const struct mail_frame *frame, GMimePart *leaf)
{
    char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(leaf)));
    GByteArray *bytes = part_decode(leaf);
    struct report_part part = {
        .bytes = {(const char *)bytes->data, bytes->len},
        .content_type = slice_of(type),
        .file_name = slice_of(g_mime_part_get_filename(leaf)),
        .submitter_hint = slice_of(message_field(frame->message, "TLS-Report-Submitter")),
        .origin = {.from_domain = slice_of(frame->origin.from_domain),
                   .is_dkim_verified = frame->origin.is_dkim_verified},
    };
    bool is_named = report_file_name_parse(part.file_name, &part.domain_hint) == 0;
    bool is_called = is_named || type_is_report(part.content_type);
    const char *domain = message_field(frame->message, "TLS-Report-Domain");
    int result = 0;

    if (domain)
        part.domain_hint = slice_of(domain);
    if (is_called || frame->is_declared)
        part.certainty = REPORT_PART_DECLARED;
    if (is_called || report_magic_of(part.bytes) != REPORT_MAGIC_NONE)
        result = walk_give(walk, &part);
    g_byte_array_unref(bytes);
    g_free(type);
    return result;
}

static int walk_object(struct mail_walk *walk, const struct mail_frame *frame, GMimeObject *object,
                       unsigned depth);

/* A forwarded report: its fields are the forwarder's word, so no origin is proven. */
static int walk_inner_message(struct mail_walk *walk, GMimeMessage *message, unsigned depth)
{
    struct mail_frame frame = {.message = message, .is_declared = message_is_declared(message)};

    walk->is_declared = walk->is_declared || frame.is_declared;
    mail_origin_read(g_mime_object_get_header_list(GMIME_OBJECT(message)), NULL, &frame.origin);
    return walk_object(walk, &frame, g_mime_message_get_mime_part(message), depth);
}

static int walk_multipart(struct mail_walk *walk, const struct mail_frame *frame,
                          GMimeMultipart *multipart, unsigned depth)
{
    int n_children = g_mime_multipart_get_count(multipart), result = 0;

    for (int i = 0; i < n_children && result == 0 && !walk->is_too_deep; i++)
        result = walk_object(walk, frame, g_mime_multipart_get_part(multipart, i), depth);
    return result;
}

static int walk_object(struct mail_walk *walk, const struct mail_frame *frame, GMimeObject *object,
                       unsigned depth)
{
    walk->is_too_deep = depth > REPORT_MAIL_DEPTH_MAX;
    if (walk->is_too_deep || !object)
        return 0;
    if (GMIME_IS_MULTIPART(object))
        return walk_multipart(walk, frame, GMIME_MULTIPART(object), depth + 1);
    if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

        return inner ? walk_inner_message(walk, inner, depth + 1) : 0;
    }
    return GMIME_IS_PART(object) ? walk_leaf(walk, frame, GMIME_PART(object)) : 0;
}

/* What a program that saves or pipes a mail puts before its first field. */
static struct slice mail_skip_preface(struct slice mail)
{
    if (slice_starts_with(mail, "\xef\xbb\xbf"))
        mail = slice_range(mail, 3, mail.len);
    while (mail.len > 0 && (mail.ptr[0] == '\n' || mail.ptr[0] == '\r'))
        mail = slice_range(mail, 1, mail.len);
    if (slice_starts_with(mail, "From ") || slice_starts_with(mail, ">From "))
        mail = slice_range(mail, slice_find_byte(mail, '\n') + 1, mail.len);
    return mail;
}

/* NULL if GMime finds no mail in it; the caller frees. */
static GMimeMessage *mail_parse(struct slice mail)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mail.ptr, mail.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    g_object_unref(parser);
    g_object_unref(stream);
    return message;
}

/* What cannot be read is kept, with the reason, where it says of itself that it is a report. */
static int walk_give_fault(struct mail_walk *walk, const struct mail_frame *frame,
                           struct slice mail, const char *fault)
{
    struct report_part part = {
        .bytes = slice_range(mail, 0, REPORT_EVIDENCE_MAX),
        .content_type = slice_of("message/rfc822"),
        .certainty = REPORT_PART_DECLARED,
        .origin = {.from_domain = slice_of(frame->origin.from_domain),
                   .is_dkim_verified = frame->origin.is_dkim_verified},
        .fault = fault,
    };

    if (frame->message) {
        part.domain_hint = slice_of(message_field(frame->message, "TLS-Report-Domain"));
        part.submitter_hint = slice_of(message_field(frame->message, "TLS-Report-Submitter"));
    }
    return walk_give(walk, &part);
}

static int walk_mail(struct mail_walk *walk, const struct mail_frame *frame, struct slice mail)
{
    if (walk_object(walk, frame, g_mime_message_get_mime_part(frame->message), 0) != 0)
        return -1;
    if (!walk->is_declared || (walk->n_given > 0 && !walk->is_too_deep))
        return 0;
    return walk_give_fault(walk, frame, mail,
                           walk->is_too_deep
                               ? "the mail has more than 16 levels of parts within parts"
                               : "the mail says that it is a TLS report, but none of its parts is "
                                 "one");
}

static int walk_parsed(struct mail_walk *walk, struct slice mail, const char *authserv_id)
{
    struct mail_frame frame = {.message = mail_parse(mail)};
    int result;

    if (!frame.message)
        return 0;
    frame.is_declared = walk->is_declared = message_is_declared(frame.message);
    mail_origin_read(g_mime_object_get_header_list(GMIME_OBJECT(frame.message)), authserv_id,
                     &frame.origin);
    result = walk_mail(walk, &frame, mail);
    g_object_unref(frame.message);
    return result;
}

int report_mail_read(struct report_mail_reader *reader, struct slice mail,
                     const struct report_taker *taker, size_t *ret_n, struct err *err)
{
    struct mail_walk walk = {.taker = taker, .err = err};
    struct slice text = mail_skip_preface(mail);
    const char *limit = mail_limits_find(text);
    int result = 0;

    if (!limit)
        result = walk_parsed(&walk, text, reader->authserv_id);
    else if (mail_limits_is_report(text))
        result = walk_give_fault(&walk, &(struct mail_frame){0}, text, limit);
    if (result == 0)
        *ret_n = walk.n_given;
    return result;
}
