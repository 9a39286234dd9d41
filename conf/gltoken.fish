# SPDX-License-Identifier: MIT
#
# fish completion for gltoken(1): commands and options are what --help says.

function __gltoken_words
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and break
        echo $word
    end | head -n 2
end

function __gltoken_ids
    gltoken list --raw --noheadings $argv 2>/dev/null </dev/null |
        awk '{ print $1 "\t" $2 " token " $3 " of " $4 }'
end

function __gltoken_complete
    set -l path (__gltoken_words)
    switch (commandline -opc)[-1]
        case --scope --scopes --set --add
            set -l head (commandline -ct | string replace -r '[^,]*$' '')
            printf '%s\n' $head{api,read_api,read_repository,write_repository,read_registry,write_registry,self_rotate,create_runner,manage_runner,ai_features,k8s_proxy,read_virtual_registry,write_virtual_registry,read_user,sudo,admin_mode,read_service_ping}
        case --role --access-level
            printf '%s\n' guest planner reporter security_manager developer maintainer owner
        case --push --force --delete
            printf '%s\n' nobody developer maintainer
        case --type
            printf '%s\n' personal project group deploy
        case --state
            printf '%s\n' active inactive revoked expired all
        case --sort
            printf '%s\n' id name user type state created_at expires_at
        case --service
            printf '%s\n' sshd http
        case --op
            printf '%s\n' pull push login
        case --id --family
            __gltoken_ids --state all
        case --user --account
            __fish_complete_users
        case --expires --expires-at --at
            printf '%s\n' 7d 30d 90d 365d never
        case --overlap --expires-within
            printf '%s\n' 12h 24h 7d 30d
        case '*'
            set -l help (gltoken $path --help 2>/dev/null </dev/null)
            if contains Commands: $help
                string replace -rf '^  ([a-z][a-z-]*) +(.*)' '$1\t$2' -- $help
            else if string match -q -- '-*' (commandline -ct)
                string replace -rf '^ +(?:-h, )?(--[a-z-]+)(?: [^ ]+)* {2,}(.*)' '$1\t$2' -- $help
            else
                switch "$path[1]"
                    case show
                        __gltoken_ids --state all
                    case rotate revoke edit scope expire
                        __gltoken_ids
                    case user key
                        __fish_complete_users
                    case backup restore import report config
                        __fish_complete_path (commandline -ct)
                end
            end
    end
end

complete -c gltoken -f -a '(__gltoken_complete)'
