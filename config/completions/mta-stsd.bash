# shellcheck shell=bash
# Completion of mta-stsd for bash. What it offers is read from `mta-stsd --help`, which is printed
# from the tables of modes and options, and from the configuration.

# What follows a name in help, before what it does: "[=FORMAT]", " FILE" or nothing.
_mta_stsd_behind() {
    local help=$1 name=$2 line
    line=$(grep -E -- "^ {2,6}(-., )?${name}[[ ]" <<<"$help") || return
    line=${line#*"$name"}
    printf '%s' "${line%%  *}"
}

# The domains of the configuration. A large one may take longer than anybody waits.
_mta_stsd_domains() {
    local program=$1 config=() i
    for ((i = 1; i < COMP_CWORD - 1; i++)); do
        [[ ${COMP_WORDS[i]} != -c && ${COMP_WORDS[i]} != --config ]] ||
            config=(-c "${COMP_WORDS[i + 1]}")
    done
    timeout 5 "$program" "${config[@]}" --print-dns=json --no-certificates </dev/null 2>/dev/null |
        sed -n 's/^ {"domain": "\([^"]*\)".*/\1/p'
}

_mta_stsd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} joined='' behind=''
    local row='^ \{2,6\}\(-., \)\{0,1\}' help modes mode='' each

    help=$("$1" --help 2>/dev/null) || return
    # Of a command with a value in brackets there are two: --print-dns and --print-dns=.
    modes=$(sed -n "/^Commands:/,/^\$/{
        s/$row\(--[a-z-]*\)\[=.*/\2 \2=/p;t
        s/$row\(--[a-z-]*\).*/\2/p}" <<<"$help")
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " ${modes//$'\n'/ } " != *" $each "* ]] || mode=$each
    done
    # bash takes --print-dns=zone for three words.
    if [[ $word == = ]]; then
        joined=yes word=''
    elif [[ $before == = ]]; then
        joined=yes before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    [[ $before != -? ]] || before=$(sed -n "s/^  $before, \(--[a-z-]*\).*/\1/p" <<<"$help")
    [[ $before != --* ]] || behind=$(_mta_stsd_behind "$help" "$before")
    # After an option that takes no value comes what the command takes.
    [[ $behind || $before != --* || $word == -* || ! $mode ]] ||
        behind=$(_mta_stsd_behind "$help" "$mode")
    [[ $joined || $behind != '[='* ]] || behind=''

    case $behind in
    *FILE* | *PATH* | *DIR*)
        [[ $behind == *DIR* ]] && each=-d || each=-f
        mapfile -t COMPREPLY < <(compgen "$each" -- "$word")
        compopt -o filenames
        return
        ;;
    *DOMAIN*) each=$(_mta_stsd_domains "$1") ;;
    *FORMAT*) each=$(sed -n '/^Formats/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p' <<<"$help") ;;
    *'|'*) each=${behind//|/ } ;;
    *)
        each=$(grep -A1 -E -- "^ {2,6}(-., )?${mode:-\(none\)}[[ ]" <<<"$help" |
            sed -n '/^ *with /{s///;s/,//g;p}')
        [[ $mode ]] || each+=" $modes"
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$each" -- "$word")
    [[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
}

complete -F _mta_stsd mta-stsd
