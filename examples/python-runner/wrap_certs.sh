#!/usr/bin/env bash
# A Python script that writes a certificate and its key, with both inside, in base64: for -V "fulltext=$(./wrap_certs.sh)".
set -euo pipefail
directory=${1:?usage: wrap_certs.sh DIRECTORY_WITH_FULLCHAIN_AND_PRIVKEY}
{
  printf 'import os\nfiles = {\n'
  for name in fullchain.pem privkey.pem; do
    printf '    "%s": """%s\n""",\n' "$name" "$(cat "$directory/$name")"
  done
  cat <<'PYTHON'
}
# Under another name first, so that no reader ever sees half a file; the key changes last.
for name, content in files.items():
    with open(f"/etc/nginx/ssl/.{name}.tmp", "w") as file:
        file.write(content)
for name in files:
    os.replace(f"/etc/nginx/ssl/.{name}.tmp", f"/etc/nginx/ssl/{name}")
print("both files are in place")
PYTHON
} | base64
