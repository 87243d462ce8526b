#!/bin/bash
# certificates.sh DIRECTORY: keys and certificates for tests, NAME.key and NAME.pem.
#
# server (P-256) and rsa are of localhost and 127.0.0.1, made by an authority below `root`: their
# .pem are chains; elsewhere is of another host, expired is no longer valid. client and other are made
# by `clients`; stranger is its own authority.
set -eu
cd "$1"

# made NAME AUTHORITY EXTENSION...: a certificate; its own authority if that is its name.
made() {
  local name=$1 authority=$2
  shift 2
  [ -e "$name.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
  printf '%s\n' "$@" > "$name.ext"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  if [ "$authority" = "$name" ]; then
    openssl x509 -req -in "$name.csr" -signkey "$name.key" -days 2 -extfile "$name.ext" -out "$name.pem"
  else
    openssl x509 -req -in "$name.csr" -CA "$authority.pem" -CAkey "$authority.key" -CAcreateserial \
      -days ${days:-2} -extfile "$name.ext" -out "$name.pem"
  fi
}
{
  authority=basicConstraints=critical,CA:TRUE
  here=subjectAltName=DNS:localhost,IP:127.0.0.1
  made root root $authority
  made between root $authority
  openssl genrsa -out rsa.key 2048
  for name in server rsa; do
    made $name between $here
    cat between.pem >> $name.pem
  done
  made elsewhere between subjectAltName=DNS:other.example
  days=-1 made expired between $here
  for name in elsewhere expired; do
    cat between.pem >> $name.pem
  done
  made clients clients $authority
  made client clients "subjectAltName=DNS:client.example,email:a@client.example,IP:192.0.2.7,IP:2001:db8::1,URI:spiffe://client.example/one" extendedKeyUsage=clientAuth
  made other clients subjectAltName=DNS:other.example
  made nameless clients basicConstraints=CA:FALSE
  made stranger stranger subjectAltName=DNS:client.example
  made serving clients extendedKeyUsage=serverAuth
  openssl ec -in server.key -aes128 -passout pass:secret -out locked.key
} 2> log || { cat log >&2; exit 1; }
