# Completion of stampede for bash; made by `stampede completion bash`.
_stampede() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= words= files= i
    COMPREPLY=()
    # "--ack=auto" comes as three words.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${COMP_WORDS[i]}" in
            " serve" | \
            " pub" | \
            " sub" | \
            " req" | \
            " ping" | \
            " bench" | \
            " bench fanout" | \
            " bench pairs" | \
            " bench queue" | \
            " bench pub" | \
            " bench sub" | \
            " bench idle" | \
            " bench connect" | \
            " admin" | \
            " admin connections" | \
            " admin destinations" | \
            " admin subscriptions" | \
            " admin kick" | \
            " admin queue" | \
            " admin queue browse" | \
            " admin queue purge" | \
            " admin queue move" | \
            " admin definitions" | \
            " admin definitions export" | \
            " admin definitions import" | \
            " admin backup" | \
            " admin reload" | \
            " admin drain" | \
            " admin log-level" | \
            " trace" | \
            " top" | \
            " check-config" | \
            " print-config" | \
            " default-config" | \
            " check-store" | \
            " healthcheck" | \
            " acl" | \
            " acl check" | \
            " passwd" | \
            " token" | \
            " token make" | \
            " token check" | \
            " version" | \
            " completion")
                command+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$command $prev" in
        " serve --data") files=directory ;;
        " serve -c" | " serve --config") files=file ;;
        " serve --tcp") return ;;
        " serve --ws") return ;;
        " serve --admin") return ;;
        " serve --ports-file") files=file ;;
        " serve --threads") return ;;
        " serve --log-level") return ;;
        " serve --http-dir") files=directory ;;
        " serve --test-echo") return ;;
        " pub -f" | " pub --file") files=file ;;
        " pub -H" | " pub --header") return ;;
        " pub -c" | " pub --count") return ;;
        " pub --interval") return ;;
        " pub --tx") return ;;
        " pub --dedup-id") return ;;
        " pub -u" | " pub --url") return ;;
        " pub --user") return ;;
        " pub --pass-file") files=file ;;
        " pub --ca-file") files=file ;;
        " pub --cert") files=file ;;
        " pub --key") files=file ;;
        " pub --host") return ;;
        " pub --connect-header") return ;;
        " pub --timeout") return ;;
        " sub -n" | " sub --count") return ;;
        " sub -w" | " sub --wait") return ;;
        " sub --ack") words="auto client client-individual" ;;
        " sub -H" | " sub --header") return ;;
        " sub --durable") return ;;
        " sub --format") return ;;
        " sub -u" | " sub --url") return ;;
        " sub --user") return ;;
        " sub --pass-file") files=file ;;
        " sub --ca-file") files=file ;;
        " sub --cert") files=file ;;
        " sub --key") files=file ;;
        " sub --host") return ;;
        " sub --connect-header") return ;;
        " sub --timeout") return ;;
        " req -f" | " req --file") files=file ;;
        " req -H" | " req --header") return ;;
        " req -w" | " req --wait") return ;;
        " req -n" | " req --count") return ;;
        " req --format") return ;;
        " req -u" | " req --url") return ;;
        " req --user") return ;;
        " req --pass-file") files=file ;;
        " req --ca-file") files=file ;;
        " req --cert") files=file ;;
        " req --key") files=file ;;
        " req --host") return ;;
        " req --connect-header") return ;;
        " req --timeout") return ;;
        " ping -c" | " ping --count") return ;;
        " ping --user") return ;;
        " ping --pass-file") files=file ;;
        " ping --ca-file") files=file ;;
        " ping --cert") files=file ;;
        " ping --key") files=file ;;
        " ping --host") return ;;
        " ping --connect-header") return ;;
        " ping --timeout") return ;;
        " bench fanout --pubs") return ;;
        " bench fanout --subs" | " bench fanout --clients") return ;;
        " bench fanout --dest") return ;;
        " bench fanout --size") return ;;
        " bench fanout --seconds") return ;;
        " bench fanout -d" | " bench fanout --duration") return ;;
        " bench fanout --warmup") return ;;
        " bench fanout -m" | " bench fanout --msgs") return ;;
        " bench fanout --persistent") words="true false" ;;
        " bench fanout --window") return ;;
        " bench fanout --rate") return ;;
        " bench fanout --receipt-every") return ;;
        " bench fanout --receipt-window") return ;;
        " bench fanout -H" | " bench fanout --header") return ;;
        " bench fanout --ack") words="auto client client-individual" ;;
        " bench fanout --sub-header") return ;;
        " bench fanout -u" | " bench fanout --url") return ;;
        " bench fanout --user") return ;;
        " bench fanout --pass-file") files=file ;;
        " bench fanout --ca-file") files=file ;;
        " bench fanout --cert") files=file ;;
        " bench fanout --key") files=file ;;
        " bench fanout --host") return ;;
        " bench fanout --connect-header") return ;;
        " bench fanout --timeout") return ;;
        " bench fanout --in-flight") return ;;
        " bench fanout --pid") return ;;
        " bench fanout --seed") return ;;
        " bench pairs --pairs" | " bench pairs --clients") return ;;
        " bench pairs --dest") return ;;
        " bench pairs --size") return ;;
        " bench pairs --seconds") return ;;
        " bench pairs -d" | " bench pairs --duration") return ;;
        " bench pairs --warmup") return ;;
        " bench pairs -m" | " bench pairs --msgs") return ;;
        " bench pairs --persistent") words="true false" ;;
        " bench pairs --window") return ;;
        " bench pairs --rate") return ;;
        " bench pairs --receipt-every") return ;;
        " bench pairs --receipt-window") return ;;
        " bench pairs -H" | " bench pairs --header") return ;;
        " bench pairs --ack") words="auto client client-individual" ;;
        " bench pairs --sub-header") return ;;
        " bench pairs -u" | " bench pairs --url") return ;;
        " bench pairs --user") return ;;
        " bench pairs --pass-file") files=file ;;
        " bench pairs --ca-file") files=file ;;
        " bench pairs --cert") files=file ;;
        " bench pairs --key") files=file ;;
        " bench pairs --host") return ;;
        " bench pairs --connect-header") return ;;
        " bench pairs --timeout") return ;;
        " bench pairs --in-flight") return ;;
        " bench pairs --pid") return ;;
        " bench pairs --seed") return ;;
        " bench queue --pubs") return ;;
        " bench queue --subs" | " bench queue --clients") return ;;
        " bench queue --dest") return ;;
        " bench queue --size") return ;;
        " bench queue --seconds") return ;;
        " bench queue -d" | " bench queue --duration") return ;;
        " bench queue --warmup") return ;;
        " bench queue -m" | " bench queue --msgs") return ;;
        " bench queue --persistent") words="true false" ;;
        " bench queue --window") return ;;
        " bench queue --rate") return ;;
        " bench queue --receipt-every") return ;;
        " bench queue --receipt-window") return ;;
        " bench queue -H" | " bench queue --header") return ;;
        " bench queue --ack") words="auto client client-individual" ;;
        " bench queue --sub-header") return ;;
        " bench queue -u" | " bench queue --url") return ;;
        " bench queue --user") return ;;
        " bench queue --pass-file") files=file ;;
        " bench queue --ca-file") files=file ;;
        " bench queue --cert") files=file ;;
        " bench queue --key") files=file ;;
        " bench queue --host") return ;;
        " bench queue --connect-header") return ;;
        " bench queue --timeout") return ;;
        " bench queue --in-flight") return ;;
        " bench queue --pid") return ;;
        " bench queue --seed") return ;;
        " bench pub --pubs" | " bench pub --clients") return ;;
        " bench pub --dest") return ;;
        " bench pub --size") return ;;
        " bench pub --seconds") return ;;
        " bench pub -d" | " bench pub --duration") return ;;
        " bench pub --warmup") return ;;
        " bench pub -m" | " bench pub --msgs") return ;;
        " bench pub --persistent") words="true false" ;;
        " bench pub --window") return ;;
        " bench pub --rate") return ;;
        " bench pub --receipt-every") return ;;
        " bench pub --receipt-window") return ;;
        " bench pub -H" | " bench pub --header") return ;;
        " bench pub -u" | " bench pub --url") return ;;
        " bench pub --user") return ;;
        " bench pub --pass-file") files=file ;;
        " bench pub --ca-file") files=file ;;
        " bench pub --cert") files=file ;;
        " bench pub --key") files=file ;;
        " bench pub --host") return ;;
        " bench pub --connect-header") return ;;
        " bench pub --timeout") return ;;
        " bench pub --in-flight") return ;;
        " bench pub --pid") return ;;
        " bench pub --seed") return ;;
        " bench sub --subs" | " bench sub --clients") return ;;
        " bench sub --dest") return ;;
        " bench sub --size") return ;;
        " bench sub --seconds") return ;;
        " bench sub -d" | " bench sub --duration") return ;;
        " bench sub --warmup") return ;;
        " bench sub -m" | " bench sub --msgs") return ;;
        " bench sub --ack") words="auto client client-individual" ;;
        " bench sub --sub-header") return ;;
        " bench sub -u" | " bench sub --url") return ;;
        " bench sub --user") return ;;
        " bench sub --pass-file") files=file ;;
        " bench sub --ca-file") files=file ;;
        " bench sub --cert") files=file ;;
        " bench sub --key") files=file ;;
        " bench sub --host") return ;;
        " bench sub --connect-header") return ;;
        " bench sub --timeout") return ;;
        " bench sub --in-flight") return ;;
        " bench sub --pid") return ;;
        " bench sub --seed") return ;;
        " bench idle --conns" | " bench idle --clients") return ;;
        " bench idle --sources") return ;;
        " bench idle --seconds") return ;;
        " bench idle -d" | " bench idle --duration") return ;;
        " bench idle -u" | " bench idle --url") return ;;
        " bench idle --user") return ;;
        " bench idle --pass-file") files=file ;;
        " bench idle --ca-file") files=file ;;
        " bench idle --cert") files=file ;;
        " bench idle --key") files=file ;;
        " bench idle --host") return ;;
        " bench idle --connect-header") return ;;
        " bench idle --timeout") return ;;
        " bench idle --in-flight") return ;;
        " bench idle --pid") return ;;
        " bench idle --seed") return ;;
        " bench connect --conns" | " bench connect --clients") return ;;
        " bench connect --sources") return ;;
        " bench connect -u" | " bench connect --url") return ;;
        " bench connect --user") return ;;
        " bench connect --pass-file") files=file ;;
        " bench connect --ca-file") files=file ;;
        " bench connect --cert") files=file ;;
        " bench connect --key") files=file ;;
        " bench connect --host") return ;;
        " bench connect --connect-header") return ;;
        " bench connect --timeout") return ;;
        " bench connect --in-flight") return ;;
        " bench connect --pid") return ;;
        " bench connect --seed") return ;;
        " admin connections --admin") return ;;
        " admin connections --token-file") files=file ;;
        " admin connections --ca-file") files=file ;;
        " admin connections --timeout") return ;;
        " admin connections --match") return ;;
        " admin connections --sort") words="connected_at user address messages_in_rate messages_out_rate outbound_bytes unacked subscriptions" ;;
        " admin connections --order") words="asc desc" ;;
        " admin connections -n" | " admin connections --limit") return ;;
        " admin connections --user") return ;;
        " admin destinations --admin") return ;;
        " admin destinations --token-file") files=file ;;
        " admin destinations --ca-file") files=file ;;
        " admin destinations --timeout") return ;;
        " admin destinations --match") return ;;
        " admin destinations --sort") words="name depth bytes unacked memory_bytes disk_bytes consumers oldest_age_ms published_rate delivered_rate" ;;
        " admin destinations --order") words="asc desc" ;;
        " admin destinations -n" | " admin destinations --limit") return ;;
        " admin destinations --type") words="queue topic durable" ;;
        " admin subscriptions --admin") return ;;
        " admin subscriptions --token-file") files=file ;;
        " admin subscriptions --ca-file") files=file ;;
        " admin subscriptions --timeout") return ;;
        " admin subscriptions --match") return ;;
        " admin subscriptions --sort") words="destination unacked dropped lag delivered" ;;
        " admin subscriptions --order") words="asc desc" ;;
        " admin subscriptions -n" | " admin subscriptions --limit") return ;;
        " admin kick --admin") return ;;
        " admin kick --token-file") files=file ;;
        " admin kick --ca-file") files=file ;;
        " admin kick --timeout") return ;;
        " admin kick --user") return ;;
        " admin kick --reason") return ;;
        " admin queue browse --admin") return ;;
        " admin queue browse --token-file") files=file ;;
        " admin queue browse --ca-file") files=file ;;
        " admin queue browse --timeout") return ;;
        " admin queue browse -n" | " admin queue browse --limit") return ;;
        " admin queue purge --admin") return ;;
        " admin queue purge --token-file") files=file ;;
        " admin queue purge --ca-file") files=file ;;
        " admin queue purge --timeout") return ;;
        " admin queue move --admin") return ;;
        " admin queue move --token-file") files=file ;;
        " admin queue move --ca-file") files=file ;;
        " admin queue move --timeout") return ;;
        " admin queue move --to") return ;;
        " admin queue move --filter") return ;;
        " admin queue move -n" | " admin queue move --limit") return ;;
        " admin definitions export --admin") return ;;
        " admin definitions export --token-file") files=file ;;
        " admin definitions export --ca-file") files=file ;;
        " admin definitions export --timeout") return ;;
        " admin definitions import --admin") return ;;
        " admin definitions import --token-file") files=file ;;
        " admin definitions import --ca-file") files=file ;;
        " admin definitions import --timeout") return ;;
        " admin backup --admin") return ;;
        " admin backup --token-file") files=file ;;
        " admin backup --ca-file") files=file ;;
        " admin backup --timeout") return ;;
        " admin reload --admin") return ;;
        " admin reload --token-file") files=file ;;
        " admin reload --ca-file") files=file ;;
        " admin reload --timeout") return ;;
        " admin drain --admin") return ;;
        " admin drain --token-file") files=file ;;
        " admin drain --ca-file") files=file ;;
        " admin drain --timeout") return ;;
        " admin log-level --admin") return ;;
        " admin log-level --token-file") files=file ;;
        " admin log-level --ca-file") files=file ;;
        " admin log-level --timeout") return ;;
        " trace -d" | " trace --duration") return ;;
        " trace --admin") return ;;
        " trace --token-file") files=file ;;
        " trace --ca-file") files=file ;;
        " trace --timeout") return ;;
        " top -i" | " top --interval") return ;;
        " top -n" | " top --rows") return ;;
        " top --admin") return ;;
        " top --token-file") files=file ;;
        " top --ca-file") files=file ;;
        " top --timeout") return ;;
        " check-config --explain") return ;;
        " check-store --dump") return ;;
        " healthcheck --admin") return ;;
        " healthcheck -c" | " healthcheck --config") files=file ;;
        " healthcheck --timeout") return ;;
        " acl check --config") files=file ;;
        " acl check --user") return ;;
        " acl check --role") return ;;
        " acl check --claim") return ;;
        " passwd --role") return ;;
        " passwd --kind") words="yescrypt bcrypt argon2id" ;;
        " token make -c" | " token make --config") files=file ;;
        " token make --keys") files=file ;;
        " token make --issuer") return ;;
        " token make --audience") return ;;
        " token make --alg") return ;;
        " token make --user") return ;;
        " token make --role") return ;;
        " token make --claim") return ;;
        " token make --kid") return ;;
        " token make --lifetime") return ;;
        " token check -c" | " token check --config") files=file ;;
        " token check --keys") files=file ;;
        " token check --issuer") return ;;
        " token check --audience") return ;;
        " token check --alg") return ;;
        *)
            case "$command" in
            "") words="serve pub sub req ping bench admin trace top check-config print-config default-config check-store healthcheck acl passwd token version completion -h --help --version" ;;
            " serve") words="-h --help --data -c --config --tcp --ws --admin --ports-file --threads --log-level --http-dir --test-echo --strict --insecure-no-auth --insecure-no-tls --accept-data-loss" files=directory ;;
            " pub") words="-h --help -f --file -l --lines -H --header -c --count --interval -r --receipt --tx --dedup-id --json -q --quiet -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout" ;;
            " sub") words="-h --help -n --count -w --wait --ack -H --header --durable --format --json --raw --headers-only -q --quiet -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout" ;;
            " req") words="-h --help -f --file -H --header -w --wait -n --count --format --json --raw --headers-only -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout" ;;
            " ping") words="-h --help -c --count --json --user --pass-file --ca-file --cert --key --host --connect-header --timeout" ;;
            " bench") words="fanout pairs queue pub sub idle connect -h --help" ;;
            " bench fanout") words="-h --help --pubs --subs --clients --dest --size --seconds -d --duration --warmup -m --msgs --persistent --window --rate --receipt-every --receipt-window -H --header --ack --sub-header -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench pairs") words="-h --help --pairs --clients --dest --size --seconds -d --duration --warmup -m --msgs --persistent --window --rate --receipt-every --receipt-window -H --header --ack --sub-header -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench queue") words="-h --help --pubs --subs --clients --dest --size --seconds -d --duration --warmup -m --msgs --persistent --window --rate --receipt-every --receipt-window -H --header --ack --sub-header -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench pub") words="-h --help --pubs --clients --dest --size --seconds -d --duration --warmup -m --msgs --persistent --window --rate --receipt-every --receipt-window -H --header -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench sub") words="-h --help --subs --clients --dest --size --seconds -d --duration --warmup -m --msgs --ack --sub-header -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench idle") words="-h --help --conns --clients --sources --shared-topic --seconds -d --duration -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " bench connect") words="-h --help --conns --clients --sources -u --url --user --pass-file --ca-file --cert --key --host --connect-header --timeout --in-flight --pid --seed --json --csv" ;;
            " admin") words="connections destinations subscriptions kick queue definitions backup reload drain log-level -h --help" ;;
            " admin connections") words="-h --help --json --admin --token-file --ca-file --timeout --match --sort --order -n --limit --user" ;;
            " admin destinations") words="-h --help --json --admin --token-file --ca-file --timeout --match --sort --order -n --limit --type" ;;
            " admin subscriptions") words="-h --help --json --admin --token-file --ca-file --timeout --match --sort --order -n --limit" ;;
            " admin kick") words="-h --help --json --admin --token-file --ca-file --timeout --user --reason" ;;
            " admin queue") words="browse purge move -h --help" ;;
            " admin queue browse") words="-h --help --json --admin --token-file --ca-file --timeout -n --limit" ;;
            " admin queue purge") words="-h --help --json --admin --token-file --ca-file --timeout --yes" ;;
            " admin queue move") words="-h --help --json --admin --token-file --ca-file --timeout --to --redrive --filter -n --limit" ;;
            " admin definitions") words="export import -h --help" ;;
            " admin definitions export") words="-h --help --json --admin --token-file --ca-file --timeout" files=file ;;
            " admin definitions import") words="-h --help --json --admin --token-file --ca-file --timeout --dry-run" files=file ;;
            " admin backup") words="-h --help --json --admin --token-file --ca-file --timeout" ;;
            " admin reload") words="-h --help --json --admin --token-file --ca-file --timeout" ;;
            " admin drain") words="-h --help --json --admin --token-file --ca-file --timeout --lame-duck" ;;
            " admin log-level") words="-h --help --json --admin --token-file --ca-file --timeout trace debug info warn error off" ;;
            " trace") words="-h --help -d --duration --bodies --json --admin --token-file --ca-file --timeout" ;;
            " top") words="-h --help -i --interval --once --json -n --rows --admin --token-file --ca-file --timeout" ;;
            " check-config") words="-h --help --insecure-no-auth --insecure-no-tls --json --explain" files=file ;;
            " print-config") words="-h --help --insecure-no-auth --insecure-no-tls --json" files=file ;;
            " default-config") words="-h --help --json" ;;
            " check-store") words="-h --help --json --dump --set-aside" files=directory ;;
            " healthcheck") words="-h --help --ready --admin -c --config --timeout --json" ;;
            " acl") words="check -h --help" ;;
            " acl check") words="-h --help --config --json --user --role --claim publish subscribe create browse" ;;
            " passwd") words="-h --help --json --role --kind --delete" files=file ;;
            " token") words="make check -h --help" ;;
            " token make") words="-h --help -c --config --keys --issuer --audience --alg --json --user --role --claim --kid --lifetime" ;;
            " token check") words="-h --help -c --config --keys --issuer --audience --alg --json" files=file ;;
            " version") words="-h --help --json" ;;
            " completion") words="-h --help bash zsh fish --json" ;;
            esac ;;
    esac
    if [[ $words && ($cur == -* || ! $files) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    elif [[ $files ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -A "$files" -- "$cur")
    fi
}
complete -F _stampede stampede
