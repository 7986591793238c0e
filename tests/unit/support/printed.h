/* SPDX-License-Identifier: MIT */
/** What a printer prints, as a text to compare. */
#pragma once

#include <stdio.h>

#include "lib/base/slice.h"

/** What `print` prints of a text; the caller frees. */
char *printed_slice(void (*print)(struct slice text, FILE *out), struct slice text);
