/* SPDX-License-Identifier: MIT */
#include "acme_hook/hook_command.h"

int main(int argc, char **argv)
{
    return hook_command_run(argc, (const char *const *)argv);
}
