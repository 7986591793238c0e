#!/bin/sh
# Sends what mta-stsd tells to a web server, as JSON in a POST request. Install it as
# /etc/mta-stsd/webhook.sh with mode 0755, and write in mta-stsd.yaml:
#
#   notify: {run: [/etc/mta-stsd/webhook.sh, /etc/mta-stsd/webhook.curl]}
#
# The argument is a file with options of curl, since other users of the machine can read a program's
# arguments, and the address, or a header with a token, is often a secret:
#
#   url = "https://hooks.example.com/mta-stsd/SECRET"
#   header = "Authorization: Bearer SECRET"
#
# Let it be readable by the daemon's user alone. A chat takes a text instead of the document: name a
# member for it as the second argument, as "text" for Slack and Mattermost, or "content" for Discord.
#
# Needs curl, and jq for a text. The exit status is not 0 if the server did not answer 2xx; then
# mta-stsd runs this again.
set -eu

body=$(mktemp)
trap 'rm -f "$body"' EXIT
if [ $# -gt 1 ]; then
    jq --arg member "$2" '{($member): ([.summary,
        (.notices[:10][] | (.domain // "mta-stsd") + ": " + .text)] | join("\n") | .[:1900])}' >"$body"
else
    cat >"$body"
fi
curl --config "$1" --silent --show-error --fail --max-time 50 --output /dev/null \
    --header "Content-Type: application/json" --data-binary "@$body"
