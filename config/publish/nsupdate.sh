#!/bin/sh
# Publishes by dynamic updates (RFC 2136) what the running daemon serves, and deletes what may go.
#
#   sh nsupdate.sh /etc/mta-stsd/mta-stsd.yaml -k /etc/mta-stsd/update.key
#
# after each `mta-stsd --reload`, and once a day for certificates that have come and domains that
# have left. What follows the configuration's path goes to nsupdate. It may run again at any time:
# the same records replace themselves. The exit status is not 0 if a zone was not updated.
set -eu

config=$1
shift
updates=$(mktemp)
trap 'rm -f "$updates"' EXIT
"${MTA_STSD:-mta-stsd}" -c "$config" --print-dns=nsupdate --side=provider --served >"$updates"
nsupdate "$@" "$updates"
