#!/usr/bin/env bash
# A wildcard certificate, from an ACME authority to five web servers, without a request lost: certbot orders it, skrei
# deploys it, each server's own watcher takes it up. Everything runs on this machine, on free ports, and is gone at the
# end.
#
#   ./run.sh            (SKREI=path/to/skrei, if it is not on the path)
#
# Needs certbot, pebble, nginx, inotify-tools, curl and openssl (Debian has all of them).
set -euo pipefail
cd "$(dirname "$0")"
skrei=${SKREI:-skrei}
job=$PWD/../deploy-certs/job.yaml
names=(web-1 web-2 web-3 web-4 web-5)
work=$(mktemp -d)
children=()

cleanup() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  for pid in "$work"/web-*/nginx.pid; do [[ ! -s $pid ]] || kill "$(cat "$pid")" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

say() { printf '== %s\n' "$*"; }
fail() { printf 'failed: %s\n' "$*" >&2; exit 1; }

# A port that nobody listens on, from a random place on. In the variable that is named.
next_port=$((20000 + RANDOM % 20000))
port() {
  next_port=$((next_port + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
  printf -v "$1" %d "$next_port"
}

# Waits until a command does well.
until_ok() {
  for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  fail "waited a minute for: $*"
}

start() {
  local log=$1; shift
  "$@" >"$work/$log.log" 2>&1 &
  children+=($!)
}

# ---- An ACME authority, and a name server that believes what certbot's hook tells it.
port acme; port management; port dns; port dns_management; port unused
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$work/acme-key.pem" -out "$work/acme.pem" 2>/dev/null
cat >"$work/pebble.json" <<X
{"pebble": {"listenAddress": "127.0.0.1:$acme", "managementListenAddress": "127.0.0.1:$management",
 "certificate": "$work/acme.pem", "privateKey": "$work/acme-key.pem", "httpPort": $unused, "tlsPort": $unused}}
X
start names pebble-challtestsrv -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 "" \
  -dns01 "127.0.0.1:$dns" -management "127.0.0.1:$dns_management"
PEBBLE_VA_NOSLEEP=1 start pebble pebble -config "$work/pebble.json" -dnsserver "127.0.0.1:$dns"
until_ok curl -sf --cacert "$work/acme.pem" "https://localhost:$acme/dir"

# ---- Five web servers, each with a certificate of its own making and a watcher for the next one.
declare -A web
for name in "${names[@]}"; do
  port "web_port"; web[$name]=$web_port
  dir=$work/$name
  mkdir -p "$dir/ssl" "$dir/tmp"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=before" -addext "subjectAltName=DNS:$name.example.test" \
    -keyout "$dir/ssl/privkey.pem" -out "$dir/ssl/fullchain.pem" 2>/dev/null
  cat >"$dir/nginx.conf" <<X
pid $dir/nginx.pid;
error_log $dir/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $dir/tmp/body; proxy_temp_path $dir/tmp/proxy; fastcgi_temp_path $dir/tmp/fastcgi;
  uwsgi_temp_path $dir/tmp/uwsgi; scgi_temp_path $dir/tmp/scgi;
  server {
    listen 127.0.0.1:$web_port ssl;
    server_name $name.example.test;
    ssl_certificate $dir/ssl/fullchain.pem;
    ssl_certificate_key $dir/ssl/privkey.pem;
    return 200 "hello from $name\n";
  }
}
X
  nginx -c "$dir/nginx.conf"
  # The key changes last: when it does, the pair is whole.
  mkfifo "$dir/changed"
  start "$name.watcher" inotifywait -q -m -e moved_to --format %f -o "$dir/changed" "$dir/ssl"
  take_up() {
    while read -r file; do
      [[ $file != privkey.pem ]] || nginx -s reload -c "$1/nginx.conf"
    done <"$1/changed"
  }
  start "$name.nginx" take_up "$dir"
done

# ---- skrei: an orchestrator, and beside each web server a node that lets jobs write its certificate.
port api; port link
start orchestrator "$skrei" serve --orchestrator --api-port "$api" --data-dir "$work/orchestrator" \
  -c Orchestrator.Host=127.0.0.1 -c "Orchestrator.Port=$link"
for name in "${names[@]}"; do
  start "$name.node" "$skrei" serve --compute --name "$name" --data-dir "$work/$name/data" \
    -c "Compute.Orchestrators=127.0.0.1:$link" \
    --config "Compute.AllowListedLocalPaths=$work/$name/ssl:/etc/nginx/ssl:rw"
done
connected() { [[ $("$skrei" node list --api-port "$api" --hide-header | grep -c CONNECTED) == "${#names[@]}" ]]; }
until_ok connected

# ---- certbot orders the certificate; its hook answers the challenge.
say "certbot orders *.example.test"
cat >"$work/hook.sh" <<X
#!/bin/sh
exec curl -sf "http://127.0.0.1:$dns_management/set-txt" \
  -d "{\"host\": \"_acme-challenge.\$CERTBOT_DOMAIN.\", \"value\": \"\$CERTBOT_VALIDATION\"}"
X
chmod +x "$work/hook.sh"
REQUESTS_CA_BUNDLE=$work/acme.pem certbot certonly --non-interactive --agree-tos --register-unsafely-without-email \
  --server "https://localhost:$acme/dir" --manual --preferred-challenges dns --manual-auth-hook "$work/hook.sh" \
  -d '*.example.test' --config-dir "$work/certbot" --work-dir "$work/certbot-work" --logs-dir "$work/certbot-logs" \
  >"$work/certbot.log" 2>&1 || { cat "$work/certbot.log" >&2; fail "certbot has no certificate"; }
live=$work/certbot/live/example.test
curl -sf --cacert "$work/acme.pem" "https://localhost:$management/roots/0" -o "$work/root.pem"

# ---- A client that never stops asking, whoever vouches for the server.
ask() {
  local asked=0 lost=0
  while [[ ! -e $work/enough ]]; do
    for name in "${names[@]}"; do
      asked=$((asked + 1))
      curl -skf --max-time 10 --resolve "$name.example.test:${web[$name]}:127.0.0.1" \
        "https://$name.example.test:${web[$name]}/" >/dev/null || lost=$((lost + 1))
    done
    echo "$asked $lost" >"$work/asked.new" && mv "$work/asked.new" "$work/asked"
  done
}
ask & asking=$!
children+=("$asking")
until_ok test -s "$work/asked"

# ---- One command puts it on all five.
say "skrei job run"
"$skrei" job run "$job" --api-port "$api" -V "fullchain=@$live/fullchain.pem" --secret "privkey=@$live/privkey.pem"

# ---- A client that trusts the authority alone, asking by name, sees it on all five.
served() {
  curl -sf --cacert "$work/root.pem" --resolve "$1.example.test:${web[$1]}:127.0.0.1" \
    "https://$1.example.test:${web[$1]}/" >"$work/$1.greeting"
}
for name in "${names[@]}"; do
  until_ok served "$name"
  cat "$work/$name.greeting"
done
touch "$work/enough"
wait "$asking"
read -r asked lost <"$work/asked"
say "$asked requests during the change, $lost lost"
[[ $lost == 0 ]] || fail "requests were lost"
