#compdef stampede
# Completion of stampede for zsh; made by `stampede completion zsh`.

_stampede() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--version)--version[Display program version information and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'serve:Run the broker'
                'pub:Publish messages'
                'sub:Subscribe and print messages'
                'req:Send a request and print its reply'
                'ping:Connect, measure round trips, tell what was negotiated'
                'bench:Measure a broker'
                'admin:Look into a running broker and change it'
                'trace:Show the frames of a connection as they pass'
                'top:Watch rates, connections and destinations live'
                'check-config:Check a configuration; exits 0 or 3'
                'print-config:Print the values in force and where they come from'
                'default-config:Print all keys with their defaults and meanings'
                'check-store:Verify a store that no broker uses; exits 0, 6 if damaged, 1 if not checked'
                'healthcheck:Ask a running broker whether it is alive, or ready; exits 0 or 1'
                'acl:Access rules'
                'passwd:Add, change or delete a user of a users file; asks for the passcode or reads it from stdin'
                'token:Make and check JSON Web Tokens'
                'version:Print the version'
                'completion:Print the completion script of a shell'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                serve) _stampede_serve ;;
                pub) _stampede_pub ;;
                sub) _stampede_sub ;;
                req) _stampede_req ;;
                ping) _stampede_ping ;;
                bench) _stampede_bench ;;
                admin) _stampede_admin ;;
                trace) _stampede_trace ;;
                top) _stampede_top ;;
                check-config) _stampede_check-config ;;
                print-config) _stampede_print-config ;;
                default-config) _stampede_default-config ;;
                check-store) _stampede_check-store ;;
                healthcheck) _stampede_healthcheck ;;
                acl) _stampede_acl ;;
                passwd) _stampede_passwd ;;
                token) _stampede_token ;;
                version) _stampede_version ;;
                completion) _stampede_completion ;;
            esac ;;
    esac
}

_stampede_serve() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--data)--data[Directory of the durable store]:directory:_files -/' \
        ':DATA_DIR:_files -/' \
        '(-c --config)-c[Configuration file (TOML)]:file:_files' \
        '(-c --config)--config[Configuration file (TOML)]:file:_files' \
        '(--tcp)--tcp[host\:port for STOMP over TCP, or off]:TEXT:' \
        '(--ws)--ws[host\:port for STOMP over WebSocket, or off]:TEXT:' \
        '(--admin)--admin[host\:port for health, metrics and console, or off]:TEXT:' \
        '(--ports-file)--ports-file[Write the bound addresses to this file (JSON)]:file:_files' \
        '(--threads)--threads[Event loops]:UINT:' \
        '(--log-level)--log-level[trace, debug, info, warn, error or off]:TEXT:' \
        '(--http-dir)--http-dir[Serve these static files on the WebSocket port]:directory:_files -/' \
        '(--test-echo)--test-echo[Path of a WebSocket echo, for tests only]:TEXT:' \
        '(--strict)--strict[Refuse every sloppiness of clients, citing the rule]' \
        '(--insecure-no-auth)--insecure-no-auth[Let everyone in, from everywhere]' \
        '(--insecure-no-tls)--insecure-no-tls[Plain text on public addresses]' \
        '(--accept-data-loss)--accept-data-loss[Open a damaged store as far as it can be read]'
}

_stampede_pub() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':DEST:' \
        ':BODY:' \
        '(-f --file)-f[Read the body from a file]:file:_files' \
        '(-f --file)--file[Read the body from a file]:file:_files' \
        '(-l --lines)-l[One message for each line of stdin]' \
        '(-l --lines)--lines[One message for each line of stdin]' \
        '*-H[name\:value, repeatable]:TEXT:' \
        '*--header[name\:value, repeatable]:TEXT:' \
        '(-c --count)-c[Send it that many times]:UINT:' \
        '(-c --count)--count[Send it that many times]:UINT:' \
        '(--interval)--interval[Time between messages]:TIME:' \
        '(-r --receipt)-r[Wait until the broker has confirmed each message]' \
        '(-r --receipt)--receipt[Wait until the broker has confirmed each message]' \
        '(--tx)--tx[Send in transactions of that many messages]:UINT:' \
        '(--dedup-id)--dedup-id[The broker takes a message of this id once; of several\: ID-1, ID-2 ...]:TEXT:' \
        '(--json)--json[Print the result as JSON]' \
        '(-q --quiet)-q[Print nothing]' \
        '(-q --quiet)--quiet[Print nothing]' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:'
}

_stampede_sub() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '*:DEST:' \
        '(-n --count)-n[End after that many messages]:UINT:' \
        '(-n --count)--count[End after that many messages]:UINT:' \
        '(-w --wait)-w[End after that time without a message]:TIME:' \
        '(-w --wait)--wait[End after that time without a message]:TIME:' \
        '(--ack)--ack[How messages are acknowledged (default\: client-individual with --count, else auto)]:value:(auto client client-individual)' \
        '*-H[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '*--header[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '(--durable)--durable[Subscription that the broker keeps under this name meanwhile]:TEXT:' \
        '(--format)--format[How to print a message]:TEXT:' \
        '(--json)--json[Print each message as a line of JSON]' \
        '(--raw)--raw[Print bodies only, as they are, nothing between them]' \
        '(--headers-only)--headers-only[Print no bodies]' \
        '(-q --quiet)-q[Do not say when the subscription is active]' \
        '(-q --quiet)--quiet[Do not say when the subscription is active]' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:'
}

_stampede_req() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':DEST:' \
        ':BODY:' \
        '(-f --file)-f[Read the body from a file]:file:_files' \
        '(-f --file)--file[Read the body from a file]:file:_files' \
        '*-H[name\:value, repeatable]:TEXT:' \
        '*--header[name\:value, repeatable]:TEXT:' \
        '(-w --wait)-w[Longest wait for replies (default\: 5s)]:TIME:' \
        '(-w --wait)--wait[Longest wait for replies (default\: 5s)]:TIME:' \
        '(-n --count)-n[End after that many replies]:UINT:' \
        '(-n --count)--count[End after that many replies]:UINT:' \
        '(--format)--format[How to print a message]:TEXT:' \
        '(--json)--json[Print each message as a line of JSON]' \
        '(--raw)--raw[Print bodies only, as they are, nothing between them]' \
        '(--headers-only)--headers-only[Print no bodies]' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:'
}

_stampede_ping() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':URL:' \
        '(-c --count)-c[Number of round trips]:UINT:' \
        '(-c --count)--count[Number of round trips]:UINT:' \
        '(--json)--json[As JSON]' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:'
}

_stampede_bench() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'fanout:Publishers to a topic, every subscriber gets all'
                'pairs:Publishers with a topic and a subscriber each'
                'queue:Publishers and consumers of one queue'
                'pub:Publish only, as fast as the broker reads or confirms'
                'sub:Count what others publish (with this command)'
                'idle:Hold subscribed connections that get nothing'
                'connect:Connect, log in, close, again and again'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                fanout) _stampede_bench_fanout ;;
                pairs) _stampede_bench_pairs ;;
                queue) _stampede_bench_queue ;;
                pub) _stampede_bench_pub ;;
                sub) _stampede_bench_sub ;;
                idle) _stampede_bench_idle ;;
                connect) _stampede_bench_connect ;;
            esac ;;
    esac
}

_stampede_bench_fanout() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--pubs)--pubs[Publishers]:UINT:' \
        '(--subs --clients)--subs[Subscribers]:UINT:' \
        '(--subs --clients)--clients[Subscribers]:UINT:' \
        '(--dest)--dest[Destination (default\: a new one)]:TEXT:' \
        '(--size)--size[Octets of a body]:UINT:' \
        '(--seconds)--seconds[How long to measure]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(--warmup)--warmup[Seconds before that]:FLOAT:' \
        '(-m --msgs)-m[End after that many measured messages]:UINT:' \
        '(-m --msgs)--msgs[End after that many measured messages]:UINT:' \
        '(--persistent)--persistent[The messages'\'' persistent header]:value:(true false)' \
        '(--window)--window[Messages published and not yet delivered]:UINT:' \
        '(--rate)--rate[Messages a second in all, instead of a window]:FLOAT:' \
        '(--receipt-every)--receipt-every[Ask for a receipt every N messages]:UINT:' \
        '(--receipt-window)--receipt-window[Receipts outstanding per publisher]:UINT:' \
        '*-H[name\:value for SEND, repeatable]:TEXT:' \
        '*--header[name\:value for SEND, repeatable]:TEXT:' \
        '(--ack)--ack[auto, client or client-individual]:value:(auto client client-individual)' \
        '*--sub-header[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_pairs() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--pairs --clients)--pairs[Publishers and subscribers]:UINT:' \
        '(--pairs --clients)--clients[Publishers and subscribers]:UINT:' \
        '(--dest)--dest[Destination (default\: a new one)]:TEXT:' \
        '(--size)--size[Octets of a body]:UINT:' \
        '(--seconds)--seconds[How long to measure]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(--warmup)--warmup[Seconds before that]:FLOAT:' \
        '(-m --msgs)-m[End after that many measured messages]:UINT:' \
        '(-m --msgs)--msgs[End after that many measured messages]:UINT:' \
        '(--persistent)--persistent[The messages'\'' persistent header]:value:(true false)' \
        '(--window)--window[Messages published and not yet delivered]:UINT:' \
        '(--rate)--rate[Messages a second in all, instead of a window]:FLOAT:' \
        '(--receipt-every)--receipt-every[Ask for a receipt every N messages]:UINT:' \
        '(--receipt-window)--receipt-window[Receipts outstanding per publisher]:UINT:' \
        '*-H[name\:value for SEND, repeatable]:TEXT:' \
        '*--header[name\:value for SEND, repeatable]:TEXT:' \
        '(--ack)--ack[auto, client or client-individual]:value:(auto client client-individual)' \
        '*--sub-header[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_queue() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--pubs)--pubs[Publishers]:UINT:' \
        '(--subs --clients)--subs[Subscribers]:UINT:' \
        '(--subs --clients)--clients[Subscribers]:UINT:' \
        '(--dest)--dest[Destination (default\: a new one)]:TEXT:' \
        '(--size)--size[Octets of a body]:UINT:' \
        '(--seconds)--seconds[How long to measure]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(--warmup)--warmup[Seconds before that]:FLOAT:' \
        '(-m --msgs)-m[End after that many measured messages]:UINT:' \
        '(-m --msgs)--msgs[End after that many measured messages]:UINT:' \
        '(--persistent)--persistent[The messages'\'' persistent header]:value:(true false)' \
        '(--window)--window[Messages published and not yet delivered]:UINT:' \
        '(--rate)--rate[Messages a second in all, instead of a window]:FLOAT:' \
        '(--receipt-every)--receipt-every[Ask for a receipt every N messages]:UINT:' \
        '(--receipt-window)--receipt-window[Receipts outstanding per publisher]:UINT:' \
        '*-H[name\:value for SEND, repeatable]:TEXT:' \
        '*--header[name\:value for SEND, repeatable]:TEXT:' \
        '(--ack)--ack[auto, client or client-individual]:value:(auto client client-individual)' \
        '*--sub-header[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_pub() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--pubs --clients)--pubs[Publishers]:UINT:' \
        '(--pubs --clients)--clients[Publishers]:UINT:' \
        '(--dest)--dest[Destination (default\: a new one)]:TEXT:' \
        '(--size)--size[Octets of a body]:UINT:' \
        '(--seconds)--seconds[How long to measure]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(--warmup)--warmup[Seconds before that]:FLOAT:' \
        '(-m --msgs)-m[End after that many measured messages]:UINT:' \
        '(-m --msgs)--msgs[End after that many measured messages]:UINT:' \
        '(--persistent)--persistent[The messages'\'' persistent header]:value:(true false)' \
        '(--window)--window[Messages published and not yet delivered]:UINT:' \
        '(--rate)--rate[Messages a second in all, instead of a window]:FLOAT:' \
        '(--receipt-every)--receipt-every[Ask for a receipt every N messages]:UINT:' \
        '(--receipt-window)--receipt-window[Receipts outstanding per publisher]:UINT:' \
        '*-H[name\:value for SEND, repeatable]:TEXT:' \
        '*--header[name\:value for SEND, repeatable]:TEXT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_sub() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--subs --clients)--subs[Subscribers]:UINT:' \
        '(--subs --clients)--clients[Subscribers]:UINT:' \
        '(--dest)--dest[Destination (default\: a new one)]:TEXT:' \
        '(--size)--size[Octets of a body]:UINT:' \
        '(--seconds)--seconds[How long to measure]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(--warmup)--warmup[Seconds before that]:FLOAT:' \
        '(-m --msgs)-m[End after that many measured messages]:UINT:' \
        '(-m --msgs)--msgs[End after that many measured messages]:UINT:' \
        '(--ack)--ack[auto, client or client-individual]:value:(auto client client-individual)' \
        '*--sub-header[name\:value for SUBSCRIBE, repeatable]:TEXT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_idle() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--conns --clients)--conns[Connections]:UINT:' \
        '(--conns --clients)--clients[Connections]:UINT:' \
        '(--sources)--sources[Use that many local addresses from 127.0.0.2 up]:UINT:' \
        '(--shared-topic)--shared-topic[One topic for all, not one each]' \
        '(--seconds)--seconds[How long to hold them]:FLOAT:' \
        '(-d --duration)-d[The same as a time]:TIME:' \
        '(-d --duration)--duration[The same as a time]:TIME:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_bench_connect() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--conns --clients)--conns[Connections]:UINT:' \
        '(--conns --clients)--clients[Connections]:UINT:' \
        '(--sources)--sources[Use that many local addresses from 127.0.0.2 up]:UINT:' \
        '(-u --url)-u[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(-u --url)--url[ws\://, wss\://, stomp\:// or stomps\:// URL of the broker]:TEXT:' \
        '(--user)--user[Login; '\'''\'' sends none (default\: guest)]:TEXT:' \
        '(--pass-file)--pass-file[File whose first line is the passcode]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--cert)--cert[Our own certificate (PEM) to show]:file:_files' \
        '(--key)--key[Its key (PEM)]:file:_files' \
        '(--host)--host[The host header of CONNECT (virtual host)]:TEXT:' \
        '*--connect-header[name\:value, another CONNECT header]:TEXT:' \
        '(--timeout)--timeout[Longest wait for the broker'\''s answer (default\: 10s)]:TIME:' \
        '(--in-flight)--in-flight[Connections being set up at a time]:UINT:' \
        '*--pid[Process of the broker, for CPU and memory; repeatable]:INT:' \
        '(--seed)--seed[Of the masks of WebSocket frames]:UINT:' \
        '(--json)--json[Print the report as JSON]' \
        '(--csv)--csv[Print the report as two lines of CSV]'
}

_stampede_admin() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'connections:List connections'
                'destinations:List queues, topics and durable subscriptions'
                'subscriptions:List subscriptions'
                'kick:Close a connection, or all of a user'
                'queue:Messages of a queue'
                'definitions:Declared queues and durable subscriptions'
                'backup:Copy the store, while the broker works, into a directory that it makes'
                'reload:Read configuration, users and certificates again; exits 0 or 3'
                'drain:Close connections one by one, then end'
                'log-level:Show or change how much is logged'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                connections) _stampede_admin_connections ;;
                destinations) _stampede_admin_destinations ;;
                subscriptions) _stampede_admin_subscriptions ;;
                kick) _stampede_admin_kick ;;
                queue) _stampede_admin_queue ;;
                definitions) _stampede_admin_definitions ;;
                backup) _stampede_admin_backup ;;
                reload) _stampede_admin_reload ;;
                drain) _stampede_admin_drain ;;
                log-level) _stampede_admin_log-level ;;
            esac ;;
    esac
}

_stampede_admin_connections() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        '(--match)--match[Only what has this in its name, user or address]:TEXT:' \
        '(--sort)--sort[What to sort by]:value:(connected_at user address messages_in_rate messages_out_rate outbound_bytes unacked subscriptions)' \
        '(--order)--order[Direction]:value:(asc desc)' \
        '(-n --limit)-n[Rows at most]:UINT:' \
        '(-n --limit)--limit[Rows at most]:UINT:' \
        '(--user)--user[Only those of this user]:TEXT:'
}

_stampede_admin_destinations() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        '(--match)--match[Only what has this in its name, user or address]:TEXT:' \
        '(--sort)--sort[What to sort by]:value:(name depth bytes unacked memory_bytes disk_bytes consumers oldest_age_ms published_rate delivered_rate)' \
        '(--order)--order[Direction]:value:(asc desc)' \
        '(-n --limit)-n[Rows at most]:UINT:' \
        '(-n --limit)--limit[Rows at most]:UINT:' \
        '(--type)--type[Only such]:value:(queue topic durable)'
}

_stampede_admin_subscriptions() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        '(--match)--match[Only what has this in its name, user or address]:TEXT:' \
        '(--sort)--sort[What to sort by]:value:(destination unacked dropped lag delivered)' \
        '(--order)--order[Direction]:value:(asc desc)' \
        '(-n --limit)-n[Rows at most]:UINT:' \
        '(-n --limit)--limit[Rows at most]:UINT:'
}

_stampede_admin_kick() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':ID:' \
        '(--user)--user[All connections of this user]:TEXT:' \
        '(--reason)--reason[Told to the client]:TEXT:'
}

_stampede_admin_queue() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'browse:Show messages without consuming them'
                'purge:Remove all messages'
                'move:Move messages, or bring dead letters back'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                browse) _stampede_admin_queue_browse ;;
                purge) _stampede_admin_queue_purge ;;
                move) _stampede_admin_queue_move ;;
            esac ;;
    esac
}

_stampede_admin_queue_browse() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':QUEUE:' \
        '(-n --limit)-n[Messages at most]:UINT:' \
        '(-n --limit)--limit[Messages at most]:UINT:'
}

_stampede_admin_queue_purge() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':QUEUE:' \
        '(--yes)--yes[Really]'
}

_stampede_admin_queue_move() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':QUEUE:' \
        '(--to)--to[Destination]:TEXT:' \
        '(--redrive)--redrive[Each back to where it was dead-lettered from]' \
        '(--filter)--filter[Only what this selector matches]:TEXT:' \
        '(-n --limit)-n[Messages at most (default\: all)]:UINT:' \
        '(-n --limit)--limit[Messages at most (default\: all)]:UINT:'
}

_stampede_admin_definitions() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'export:Print them as JSON'
                'import:Make what is missing, all or nothing'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                export) _stampede_admin_definitions_export ;;
                import) _stampede_admin_definitions_import ;;
            esac ;;
    esac
}

_stampede_admin_definitions_export() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':FILE:_files'
}

_stampede_admin_definitions_import() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':FILE:_files' \
        '(--dry-run)--dry-run[Only say what would be done]'
}

_stampede_admin_backup() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':DIRECTORY:'
}

_stampede_admin_reload() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:'
}

_stampede_admin_drain() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        '(--lame-duck)--lame-duck[Over a longer time]'
}

_stampede_admin_log-level() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:' \
        ':LEVEL:(trace debug info warn error off)'
}

_stampede_trace() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':CONNECTION:' \
        '(-d --duration)-d[How long, 1s to 5m (default\: 1m)]:TIME:' \
        '(-d --duration)--duration[How long, 1s to 5m (default\: 1m)]:TIME:' \
        '(--bodies)--bodies[Show the beginning of bodies, too]' \
        '(--json)--json[A line of JSON for each event]' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:'
}

_stampede_top() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(-i --interval)-i[Time between rounds (default\: 1s)]:TIME:' \
        '(-i --interval)--interval[Time between rounds (default\: 1s)]:TIME:' \
        '(--once)--once[Print once and end]' \
        '(--json)--json[Print once, as JSON]' \
        '(-n --rows)-n[Rows of each list with --once and --json]:UINT:' \
        '(-n --rows)--rows[Rows of each list with --once and --json]:UINT:' \
        '(--admin)--admin[URL of the broker'\''s admin listener]:TEXT:' \
        '(--token-file)--token-file[File with the admin token (default\: where a broker on this machine puts it)]:file:_files' \
        '(--ca-file)--ca-file[Trust these certificates (PEM), not the system'\''s]:file:_files' \
        '(--timeout)--timeout[Longest wait for an answer (default\: 10s)]:TIME:'
}

_stampede_check-config() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':FILE:_files' \
        '(--insecure-no-auth)--insecure-no-auth[Let everyone in, from everywhere]' \
        '(--insecure-no-tls)--insecure-no-tls[Plain text on public addresses]' \
        '(--json)--json[As JSON]' \
        '*--explain[Show what a queue or topic of this name gets, and why; may be repeated]:TEXT:'
}

_stampede_print-config() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':FILE:_files' \
        '(--insecure-no-auth)--insecure-no-auth[Let everyone in, from everywhere]' \
        '(--insecure-no-tls)--insecure-no-tls[Plain text on public addresses]' \
        '(--json)--json[As JSON]'
}

_stampede_default-config() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON\: key, default, range, environment, meaning]'
}

_stampede_check-store() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':DIR:_files -/' \
        '(--json)--json[As JSON]' \
        '(--dump)--dump[Print the messages of this queue instead, a JSON object per line]:TEXT:' \
        '(--set-aside)--set-aside[Take damaged messages out of their queues, into the file DIR/set-aside]'
}

_stampede_healthcheck() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--ready)--ready[Whether it takes connections, not only lives]' \
        '(--admin)--admin[http\://ADDRESS\:PORT of its admin listener; default\: STAMPEDE_ADMIN, else as configured]:TEXT:' \
        '(-c --config)-c[Configuration that says where it listens]:file:_files' \
        '(-c --config)--config[Configuration that says where it listens]:file:_files' \
        '(--timeout)--timeout[Time for the answer]:TIME:' \
        '(--json)--json[As JSON]'
}

_stampede_acl() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'check:Say whether the rules allow it, and which rule decides; exits 0 or 4'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                check) _stampede_acl_check ;;
            esac ;;
    esac
}

_stampede_acl_check() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--config)--config[Configuration file]:file:_files' \
        '(--json)--json[As JSON]' \
        '(--user)--user[User; without it\: anonymous]:TEXT:' \
        '*--role[Role of the user; repeatable]:TEXT:' \
        '*--claim[Claim of its token, KEY=VALUE; repeatable]:TEXT:' \
        ':ACTION:(publish subscribe create browse)' \
        ':DESTINATION:'
}

_stampede_passwd() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':FILE:_files' \
        '(--json)--json[Print what was done as JSON]' \
        ':NAME:' \
        '*--role[Role, in place of those it has; repeatable]:TEXT:' \
        '(--kind)--kind[Kind of hash\: yescrypt, bcrypt or argon2id]:value:(yescrypt bcrypt argon2id)' \
        '(--delete)--delete[Delete the user]'
}

_stampede_token() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '1:command:->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'make:Make a token for tests'
                'check:Explain each claim and whether the broker takes the token; exits 0 or 4'
            )
            _describe command commands ;;
        arguments)
            case $line[1] in
                make) _stampede_token_make ;;
                check) _stampede_token_check ;;
            esac ;;
    esac
}

_stampede_token_make() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(-c --config)-c[The broker'\''s configuration, for its \[jwt\]]:file:_files' \
        '(-c --config)--config[The broker'\''s configuration, for its \[jwt\]]:file:_files' \
        '(--keys)--keys[Key set (JWKS), or one key in PEM]:file:_files' \
        '(--issuer)--issuer[iss of tokens (default\: jwt.issuer)]:TEXT:' \
        '(--audience)--audience[aud of tokens (default\: jwt.audience)]:TEXT:' \
        '(--alg)--alg[Algorithm of a key in PEM, e.g. ES256]:TEXT:' \
        '(--json)--json[As JSON]' \
        '(--user)--user[User]:TEXT:' \
        '*--role[Role; repeatable]:TEXT:' \
        '*--claim[NAME=VALUE, another claim (JSON or text); repeatable]:TEXT:' \
        '(--kid)--kid[Which secret of a set; kid of a key in PEM]:TEXT:' \
        '(--lifetime)--lifetime[Until it expires (default\: 1h)]:TIME:'
}

_stampede_token_check() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(-c --config)-c[The broker'\''s configuration, for its \[jwt\]]:file:_files' \
        '(-c --config)--config[The broker'\''s configuration, for its \[jwt\]]:file:_files' \
        '(--keys)--keys[Key set (JWKS), or one key in PEM]:file:_files' \
        '(--issuer)--issuer[iss of tokens (default\: jwt.issuer)]:TEXT:' \
        '(--audience)--audience[aud of tokens (default\: jwt.audience)]:TEXT:' \
        '(--alg)--alg[Algorithm of a key in PEM, e.g. ES256]:TEXT:' \
        '(--json)--json[As JSON]' \
        ':FILE:_files'
}

_stampede_version() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        '(--json)--json[As JSON]'
}

_stampede_completion() {
    local state line
    local -A opt_args
    _arguments -C -s \
        '(-h --help)-h[Print this help message and exit]' \
        '(-h --help)--help[Print this help message and exit]' \
        ':SHELL:(bash zsh fish)' \
        '(--json)--json[As JSON]'
}

if [[ $funcstack[1] == _stampede ]]; then
    _stampede "$@"
else
    compdef _stampede stampede
fi
