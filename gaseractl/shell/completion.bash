# bash completion for gaseractl

_gaseractl() {
    local line
    local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o default
            continue
        fi
        printf -v line '%q' "${line%%$'\t'*}"
        COMPREPLY+=("$line")
    done < <("${COMP_WORDS[0]}" complete-words bash -- "${words[@]}" 2>/dev/null)
}

complete -o nosort -F _gaseractl gaseractl
