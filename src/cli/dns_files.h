/* SPDX-License-Identifier: MIT */
/**
 * The files of --print-dns --output: one for each zone.
 */
#pragma once

#include "lib/diag/exit_status.h"

struct dns_format;
struct dns_plan;

/**
 * Writes each zone's records to <directory>/<zone><suffix of the format>, each file replaced as a
 * whole. Makes the directory if it does not exist, but not the directories above.
 *
 * Names the files of earlier runs whose zones are in no record.
 * Returns STATUS_GOOD after printing the number of files on standard error, or STATUS_FAILED after
 * printing what is wrong there.
 */
enum exit_status dns_files_write(const struct dns_plan *plan, const struct dns_format *format,
                                 const char *directory);
