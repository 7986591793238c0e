/* SPDX-License-Identifier: MIT */
#include "reports/site_shard.h"

#include "reports/site_assets.h"
#include "reports/site_output.h"

enum {
    SHARD_NAME_SIZE = 128,
};

int site_script_begin(struct site_output *output, const char *name, struct json_writer *ret_writer,
                      struct err *err)
{
    char file_name[SHARD_NAME_SIZE];
    FILE *out;

    snprintf(file_name, sizeof(file_name), SITE_DATA_PREFIX "%s.js", name);
    out = site_output_begin(output, file_name, err);
    if (!out)
        return -1;
    fputs("site.take(", out);
    json_print_text(name, out);
    fputs(",\n", out);
    *ret_writer = (struct json_writer){.out = out};
    return 0;
}

int site_script_end(struct site_output *output, struct json_writer *writer, struct err *err)
{
    fputs(");\n", writer->out);
    return site_output_end(output, err);
}

static int shard_begin(struct site_shard *shard, struct err *err)
{
    char name[SHARD_NAME_SIZE];

    snprintf(name, sizeof(name), "%s-%zu", shard->name, shard->n_files);
    if (site_script_begin(shard->output, name, &shard->writer, err) != 0)
        return -1;
    json_begin_array(&shard->writer, JSON_ON_LINES);
    shard->is_open = true;
    shard->n_files++;
    return 0;
}

int site_shard_next(struct site_shard *shard, struct json_writer **ret_writer, bool *ret_is_first,
                    struct err *err)
{
    *ret_is_first = false;
    if (shard->is_open && ftell(shard->writer.out) >= SITE_SHARD_BYTES &&
        site_shard_end(shard, err) != 0)
        return -1;
    if (!shard->is_open) {
        *ret_is_first = true;
        if (shard_begin(shard, err) != 0)
            return -1;
    }
    *ret_writer = &shard->writer;
    return 0;
}

int site_shard_end(struct site_shard *shard, struct err *err)
{
    if (!shard->is_open)
        return 0;
    shard->is_open = false;
    json_end_array(&shard->writer);
    return site_script_end(shard->output, &shard->writer, err);
}
