/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_store_check.h"

#include <stdio.h>
#include <string.h>

#include "daemon/tls/cert_files.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/clock.h"

/* Appends to the message of a state; what is too long is cut. */
static void state_note(struct cert_state *state, const char *reason)
{
    size_t used = strlen(state->message);

    snprintf(state->message + used, sizeof(state->message) - used, "%s%s", used > 0 ? "; " : "",
             reason);
}

/* Takes the reference. */
static void state_judge(const struct cert_store *store, struct certificate *certificate,
                        const char *host, struct cert_state *state)
{
    const struct probe_context *context = cert_store_context(store);
    char words[CERTIFICATE_FINDINGS_MAX];

    state->certificate = certificate;
    state->findings = certificate_check(certificate, host, context->clock->unix_s(context->clock),
                                        context->trust);
    state->sys_errno = 0;
    state->message[0] = '\0';
    if (state->findings == 0)
        return;
    certificate_findings_render(certificate, state->findings, words, sizeof(words));
    snprintf(state->message, sizeof(state->message), "%.*s: %s", PATH_SHOWN_MAX - 1,
             certificate_path(certificate), words);
}

void cert_store_check(struct cert_store *store, const char *host, struct cert_state *ret_state)
{
    static const finding_set findings[] = {
        [PROBE_FAULT] = UINT64_C(1) << FINDING_CERTIFICATE_UNREADABLE,
        [PROBE_UNUSABLE] = UINT64_C(1) << FINDING_CERTIFICATE_UNUSABLE,
        [PROBE_NAME_MISMATCH] = UINT64_C(1) << FINDING_CERTIFICATE_NAME,
    };
    size_t n_tried = cert_store_n_sources(store, host);
    struct probe probe;

    *ret_state = (struct cert_state){0};
    for (size_t i = 0; i < n_tried; i++) {
        cert_store_probe(store, i, host, &probe);
        if (probe.certificate) {
            state_judge(store, probe.certificate, host, ret_state);
            return;
        }
        state_note(ret_state, probe.err.msg);
        ret_state->findings |= findings[probe.mark.result];
        if (probe.mark.sys_errno != 0)
            ret_state->sys_errno = probe.mark.sys_errno;
    }
    if (n_tried == 0)
        state_note(ret_state, "there is no source of certificates for this host");
    if (ret_state->findings == 0)
        ret_state->findings = finding_bit(FINDING_CERTIFICATE_MISSING);
}

void cert_store_check_in_use(struct cert_store *store, const char *host,
                             struct cert_state *ret_state)
{
    struct certificate *certificate = NULL;
    bool is_remembered = cert_store_peek(store, host, &certificate);

    *ret_state = (struct cert_state){0};
    if (certificate)
        state_judge(store, certificate, host, ret_state);
    else
        cert_store_check(store, host, ret_state);
    ret_state->is_remembered = is_remembered;
}

bool cert_state_is_accepted(const struct cert_state *state)
{
    return state->certificate &&
           (state->findings & ~finding_bit(FINDING_CERTIFICATE_EXPIRING)) == 0;
}
