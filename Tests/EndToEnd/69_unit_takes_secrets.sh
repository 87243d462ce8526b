# TLS with a key that only root can read comes by the drop-in web.conf; files that the group procvitals
# can read need none, once sysusers has made it, and hold at once when they change.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need openssl htpasswd
bash "$HERE/certificates.sh" "$WORK" || fail "no certificates"
box_with_unit

# web_configuration PASSWORD
web_configuration() {
  printf 'tls_server_config: {cert_file: server.crt, key_file: server.key}\nbasic_auth_users: {%s}\n' \
    "$(htpasswd -nbB -C 4 app "$1" | sed 's/:/: /')" | box tee /etc/procvitals/web.yaml > /dev/null
}
box tee /etc/procvitals/server.crt < "$WORK/server.pem" > /dev/null
box tee /etc/procvitals/server.key < "$WORK/server.key" > /dev/null
box tee /run/root.pem < "$WORK/root.pem" > /dev/null
web_configuration Geheim
box chmod 600 /etc/procvitals/{web.yaml,server.crt,server.key}
code() { # code USER:PASSWORD [ARGUMENT]...
  box curl -s -m 10 --cacert /run/root.pem -o /dev/null -w '%{http_code}' -u "$1" "${@:2}" \
    https://localhost:9656/metrics
}

# Root's files are not for the daemon.
echo 'ARGS=--web.config.file=/etc/procvitals/web.yaml' | box tee /etc/default/procvitals > /dev/null
! box systemctl start procvitals 2> /dev/null || fail "it reads a file of mode 0600"
journal | grep -q 'web.yaml.*permission denied' || fail "it does not say why: $(journal)"
box rm /etc/default/procvitals

drop_ins=/run/systemd/system/procvitals.service.d
box mkdir -p $drop_ins
box cp /usr/share/procvitals/drop-ins/web.conf $drop_ins
box systemctl daemon-reload
start_unit
expect "with the drop-in" "$(code app:Geheim)" == 200
expect "a wrong password" "$(code app:wrong)" == 401
expect "without encryption" "$(box curl -s -m 10 -o /dev/null -w '%{http_code}' \
  http://127.0.0.1:9656/metrics)" == 400
box timeout 20 systemctl reload procvitals || fail "reload: $(journal)"
expect "after reload" "$(code app:Geheim)" == 200
is ActiveState active "after reload"
directory=/run/credentials/procvitals.service
box setpriv --reuid=65534 --clear-groups ls $directory 2> /dev/null &&
  fail "others see the credentials"

# The drop-in holds for a sidecar too, which needs the user that sysusers makes.
box systemctl stop procvitals
box_with_user
start_unit
printf '[Service]\nExecStart=/bin/sleep 1000\n' | box tee /run/systemd/system/app.service > /dev/null
box mkdir /run/systemd/system/procvitals@app.service.d
box cp $drop_ins/web.conf /run/systemd/system/procvitals@app.service.d
box systemctl daemon-reload
box systemctl start procvitals@app || fail "sidecar: $(box journalctl -q -n 20 -u procvitals@app)"
expect "a sidecar" "$(code app:Geheim --unix-socket /run/procvitals/app.sock)" == 200
box systemctl stop app

# A file that is missing is an error that names it.
box mv /etc/procvitals/server.key /etc/procvitals/away
! box systemctl restart procvitals 2> /dev/null || fail "it starts without its key"
is ExecMainStatus 243 "without a credential"
box systemctl stop procvitals
box mv /etc/procvitals/away /etc/procvitals/server.key
box rm $drop_ins/web.conf
box systemctl daemon-reload

# Files for the group.
echo 'ARGS=--web.config.file=/etc/procvitals/web.yaml' | box tee /etc/default/procvitals > /dev/null
box chgrp procvitals /etc/procvitals/{web.yaml,server.crt,server.key} || fail "there is no group"
box chmod 640 /etc/procvitals/{web.yaml,server.crt,server.key}
start_unit
[ "$(box stat -c %u "/proc/$(show MainPID)")" = "$(box awk -F: '$1 == "procvitals" { print $3 }' \
  /etc/passwd)" ] || fail "it does not run as the user that sysusers made"
expect "with files for the group" "$(code app:Geheim)" == 200
main=$(show MainPID)
web_configuration Anders
expect "the old password" "$(code app:Geheim)" == 401
expect "the new password" "$(code app:Anders)" == 200
is MainPID "$main" "after the change"
