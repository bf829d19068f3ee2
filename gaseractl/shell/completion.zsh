#compdef gaseractl

_gaseractl() {
    local line files
    local -a found
    for line in "${(@f)$(${words[1]} complete-words zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            files=yes
        elif [[ -n $line ]]; then
            found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( ${#found} )) && _describe -V gaseractl found
    [[ -n $files ]] && _files
    (( ${#found} )) || [[ -n $files ]]
}

if [[ ${funcstack[1]} == _gaseractl ]]; then
    _gaseractl "$@"
else
    compdef _gaseractl gaseractl
fi
