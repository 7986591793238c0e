/* SPDX-License-Identifier: MIT */
/** What the fuzz targets share: the entry that libFuzzer and replay.c call, and its oracle. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Aborts, which the fuzzer takes for a finding, unless it is good. */
void require(bool good, const char *what);

/** A refusal of bad input has a code and words that are fit for a terminal. */
void require_message(const struct err *err);
