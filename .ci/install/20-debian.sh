# Real counterparts of tests, as `command:package`. A test whose counterpart is not to be had says so and is skipped.
wanted=(
  pebble:pebble # an ACME authority
  certbot:certbot # orders certificates from it
  nginx:nginx # serves them
  inotifywait:inotify-tools # sees them change
  openssl:openssl # makes the certificates before
  curl:curl # calls the API
  ip:iproute2 # makes network namespaces, and links that are slow and lossy
  script:bsdutils # is a terminal
  npm:npm # has an identity provider, and programs that nobody here wrote
)
missing=()
for pair in "${wanted[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
if ((${#missing[@]})) && command -v apt-get >/dev/null; then
  { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } || echo "cannot install ${missing[*]}" >&2
fi
