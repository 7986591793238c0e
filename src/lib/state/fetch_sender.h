/* SPDX-License-Identifier: MIT */
/**
 * Fetch senders: which kind of sender fetches a policy, by its User-Agent.
 *
 * Anyone may send any User-Agent, so this is what a sender says of itself, and no proof. Pure, safe
 * from any thread.
 */
#pragma once

struct slice;

enum fetch_sender {
    FETCH_SENDER_GOOGLE,
    FETCH_SENDER_PMSR,
    FETCH_SENDER_TLSPOL,
    FETCH_SENDER_STALWART,
    FETCH_SENDER_MIMECAST,
    FETCH_SENDER_GO,
    FETCH_SENDER_JAVA,
    FETCH_SENDER_LIBWWW,
    FETCH_SENDER_CHECKER, /* our own, and others that look and send no mail */
    FETCH_SENDER_NONE,
    FETCH_SENDER_OTHER,
    FETCH_SENDER_COUNT,
};

/** agent  the User-Agent; empty: it sent none */
enum fetch_sender fetch_sender_of(struct slice agent);

/** One word, as files and JSON have it: "google". */
const char *fetch_sender_word(enum fetch_sender sender);

/** The sender of a word. Returns FETCH_SENDER_COUNT if it is none of them. */
enum fetch_sender fetch_sender_find(struct slice word);

/** For people: "Google". */
const char *fetch_sender_name(enum fetch_sender sender);
