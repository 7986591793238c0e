/* SPDX-License-Identifier: MIT */
/**
 * What the spawner starts for certificates, and the directories that those programs work in.
 *
 * Below the directory of `state:`: acme/account is uacme's, with the account's key; challenges has
 * a file for each challenge that is under way; certificates has what is served.
 */
#pragma once

#include <stdbool.h>

#include "daemon/child/program.h"

struct account;
struct acme_commands;
struct cert_source;
struct config;
struct err;

#define ACME_UACME "/usr/bin/uacme"

/** Beside a certificate that was ordered: of which authority, by the URL of its directory. */
#define ACME_DIRECTORY_NOTE "directory"

/**
 * For the time before the first thread, as it sets CHALLENGE_DIRECTORY_VARIABLE, and before
 * privileges are dropped, as it reads the file of the external account binding.
 *
 * config_path   "-": nothing can be ordered, which is logged
 * ret_commands  NULL: the configuration orders nothing
 * Returns 0, or -1 with *err set: ERR_IO, ERR_SYNTAX (that file will not do).
 */
int acme_commands_new(const struct config *config, const char *config_path,
                      struct acme_commands **ret_commands, struct err *err);

/** Takes NULL. */
void acme_commands_free(struct acme_commands *commands);

/** Sets the commands of ACME_READY, ACME_ACCOUNT and ACME_ORDER. commands: NULL sets none. */
void acme_commands_set(const struct acme_commands *commands, struct program_commands *programs);

/**
 * Makes what is missing of the directories, for the account that will serve, and takes them for
 * this process until acme_commands_free(). Once the directory of `state:` is made, and before the
 * sandbox is entered.
 * Returns 0, or -1 with *err set: ERR_IO, ERR_CONFIG (another process has taken them).
 */
int acme_commands_make_directories(struct acme_commands *commands, const struct account *account,
                                   struct err *err);

/**
 * Removes what a process that was killed has left of orders that were under way: challenges, and
 * directories that were to be renamed. Without root's rights, as another may have made
 * links of the directories; before the first order. Returns 0, or -1 with *err set: ERR_IO.
 */
int acme_commands_clean(const struct acme_commands *commands, struct err *err);

/** The argument of ACME_ACCOUNT for the external account binding; NULL: there is none. */
const char *acme_commands_binding(const struct acme_commands *commands);

/** Where the account's key is. */
const char *acme_commands_account_key(const struct acme_commands *commands);

/** Where uacme puts a certificate and its key; paths with {host}. */
struct cert_source acme_commands_result(const struct acme_commands *commands);

/** Where the certificates that are served lie. */
const char *acme_commands_certificates(const struct acme_commands *commands);

/** What ACME_DIRECTORY_NOTE holds beside a new certificate. */
const char *acme_commands_note(const struct acme_commands *commands);

/**
 * Whether the certificate of a host was ordered from the authority of this configuration: those of
 * a trial, whom nobody trusts, are to be ordered anew. Any thread.
 */
bool acme_commands_is_current(const struct acme_commands *commands, const char *host);

/** The file of what is known of the orders. */
const char *acme_commands_book(const struct acme_commands *commands);

/**
 * Makes the directories and the key of a host that are missing, for uacme, and removes what an
 * order that was killed has left there. Any thread. Returns 0, or -1 with *err set: ERR_IO,
 * ERR_CRYPTO.
 */
int acme_commands_prepare_host(const struct acme_commands *commands, const char *host,
                               struct err *err);

/**
 * Whether uacme has brought a certificate of the host that was not installed, from the authority of
 * this configuration: it can be installed without another order. Any thread.
 */
bool acme_commands_has_result(const struct acme_commands *commands, const char *host);

/** Removes all that uacme has of a host, its key too. Any thread. */
void acme_commands_forget_host(const struct acme_commands *commands, const char *host);

/** Removes the certificate of uacme's, which is installed or will not do; the key stays. */
void acme_commands_clean_host(const struct acme_commands *commands, const char *host);
