#!/usr/bin/env bash
# Makes the folder of a controller that other machines reach: certificate, tokens, workspace, and settings for compose.
#
#     docker/setup.sh LAB DATA [NAME...]
#
# DATA is the folder with images and annotations, NAMEs are host names or IP addresses by which workers and clients reach the
# controller. CASSL is the command to make tokens with, `npx cassl` if it is not set. Nothing that is there is overwritten.
set -euo pipefail

(($# >= 2)) || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
lab=$1 data=$2
shift 2
[[ -d $data ]] || { echo "$data is no folder." >&2; exit 2; }
[[ ! -e $lab/keys ]] || { echo "$lab/keys is there already. Remove it to make others, or go on with it." >&2; exit 2; }

names=DNS:localhost,DNS:controller,IP:127.0.0.1
for name in "$@"; do
  if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=,IP:$name; else names+=,DNS:$name; fi
done

umask 077
mkdir -p "$lab"/{keys,workspace,cache-1,cache-2}
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=cassl -addext "subjectAltName=$names" \
  -keyout "$lab/keys/key.pem" -out "$lab/keys/cert.pem" 2>"$lab/openssl.log" || { cat "$lab/openssl.log" >&2; exit 1; }
rm "$lab/openssl.log"
read -ra cassl <<<"${CASSL:-npx cassl}"
for role in worker client; do
  "${cassl[@]}" token create --role "$role" --tokens "$lab/keys/tokens" --out "$lab/keys/$role.token"
done

# Containers run as whoever owns these files, but never as root.
owner=$(id -u):$(id -g)
if ((UID == 0)); then
  owner=1000:1000
  chown -R "$owner" "$lab"
fi
[[ -e $lab/.env ]] || printf 'CASSL_USER=%s\nCASSL_LAB=%s\nCASSL_DATA=%s\n' "$owner" "$(realpath "$lab")" "$(realpath "$data")" >"$lab/.env"
