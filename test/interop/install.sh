#!/bin/sh
# Installs the servers that tests talk to, on Debian, as root: Postfix and unbound as packages, and Exim unpacked below /opt, as it
# and Postfix exclude each other. None is started, and no mail or question of this machine goes through them.
set -eu
EXIM=/opt/mox-interop/exim
POLICY=/usr/sbin/policy-rc.d

# Packages start their service unless this says no.
if [ ! -e "$POLICY" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$POLICY"
  chmod 755 "$POLICY"
  trap 'rm -f "$POLICY"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends unbound postfix libidn12 libgnutls-dane0 libnsl2 libdb5.3 >/dev/null

if [ ! -x "$EXIM/usr/sbin/exim4" ]; then
  debs=$(mktemp -d)
  chmod 755 "$debs"
  (cd "$debs" && apt-get download -qq exim4-base exim4-daemon-light)
  mkdir -p "$EXIM"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$EXIM"; done
  rm -r "$debs"
fi
# The user that Exim was built for.
getent passwd Debian-exim >/dev/null || useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin Debian-exim
