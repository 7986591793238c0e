#!/bin/sh
# Mails what mta-stsd tells. Install it as /etc/mta-stsd/mail.sh with mode 0755, and write in
# mta-stsd.yaml:
#
#   notify: {run: [/etc/mta-stsd/mail.sh, mta-stsd@example.com, postmaster@example.com]}
#
# The sender, then each recipient. The mail goes to the mail server at localhost, port 25. Another way
# is named first: the URL of a server for curl, or the path of a sendmail program:
#
#   notify: {run: [/etc/mta-stsd/mail.sh, "smtps://mail.example.com", FROM, TO]}
#   notify: {run: [/etc/mta-stsd/mail.sh, /usr/bin/msmtp, FROM, TO]}
#
# A sendmail that needs rights of its own, as those of Postfix and Exim do, does not work here: the
# daemon lets no program that it starts gain rights. Reach Postfix and Exim by SMTP.
#
# Needs jq, and curl for SMTP. The exit status is not 0 if the mail was not taken; then mta-stsd runs
# this again.
set -eu

case $1 in
smtp:* | smtps:*) server=$1 && shift ;;
/*) sendmail=$1 && shift ;;
*) server=smtp://localhost ;;
esac
: "${2:?give the sender, then each recipient}"
from=$1
shift
mail=$(mktemp)
trap 'rm -f "$mail"' EXIT

# Only the summary, which is one line of ASCII, is in the header. What strangers have written is in
# the body, each text on one line, where no line is longer than SMTP allows.
jq --raw-output --arg from "$from" --arg to "$(IFS=, && printf '%s' "$*")" '
    def words: gsub("\\p{Cc}|\\p{Cf}"; " ");
    def cut: [match(".{1,200}"; "g").string] | join("\n  ");
    def date: strftime("%e %B %Y, %H:%M UTC") | ltrimstr(" ");
    def mark: {began: "NEW", ended: "ENDED", digest: "OPEN", test: "TEST"};
    "From: " + $from,
    "To: " + $to,
    "Subject: " + (.summary | words),
    "Date: " + (.time | strftime("%a, %d %b %Y %H:%M:%S +0000")),
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    (.notices[] |
        (if .event == "digest" and .until then "ENDED" else mark[.event] end)
            + " " + (.domain // "mta-stsd") + ": " + (.code | words),
        "  " + (.text | words | cut),
        (if .advice != "" then "  " + (.advice | words | cut) else empty end),
        "  since " + (.since | date) + (if .until then ", until " + (.until | date) else "" end),
        ""),
    (if .left_out > 0 then "\(.left_out) more are left out: see mta-stsd --check, --reports and /status/."
     else empty end)
' >"$mail"

if [ -n "${sendmail-}" ]; then
    "$sendmail" -i -f "$from" -- "$@" <"$mail"
else
    for to in "$@"; do
        set -- "$@" --mail-rcpt "$to"
        shift
    done
    curl --silent --show-error --max-time 50 --crlf --mail-from "$from" "$@" --upload-file "$mail" \
        "$server"
fi
