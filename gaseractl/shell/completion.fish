# fish completion for gaseractl

function __gaseractl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete-words fish -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo "$line"
        end
    end
end

complete -c gaseractl -e
complete -c gaseractl -f -k -a '(__gaseractl_complete)'
