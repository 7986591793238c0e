/* SPDX-License-Identifier: MIT */
/** Configurations loaded from YAML that is written in the test. */
#pragma once

struct config;

/** Loads YAML of up to 4095 bytes, which must have no error. Returns one reference. */
struct config *loaded_config(const char *format, ...) __attribute__((format(printf, 1, 2)));
