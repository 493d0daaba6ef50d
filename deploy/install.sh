#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts flowtap in place on a host, or takes it away again; `make install`, `uninstall` and `purge` call it.
#
#   install.sh install WHEEL PIP MAN   from a built wheel, by a pip (a command), with the man pages in directory MAN
#   install.sh uninstall               all that install put there; a changed configuration and written events stay
#   install.sh purge                   these too
#
# DESTDIR stages the files below another root, where nothing is started; PREFIX is where they will be (/usr/local).
set -euo pipefail
umask 022

here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
home=$prefix/lib/flowtap            # the virtual environment
share=$prefix/share/flowtap         # the configuration as shipped, to tell a changed one
man=$prefix/share/man/man1
etc=/etc/flowtap
log=/var/log/flowtap
cache=/var/cache/flowtap             # what root's commands have compiled; with -units, what the services have
case $prefix in
  /usr | /usr/local) system=$prefix/lib ;;
  *) system=/etc ;;                 # systemd looks nowhere else
esac
units=$system/systemd/system

die() { echo "install.sh: $*" >&2; exit 1; }

# Whether this host's own systemd is concerned, not a staged root.
live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

each_unit() { (cd "$here/systemd" && printf '%s\n' *.target *.service flowtap-.service.d/*.conf); }

install_all() {
  local wheel=$1 pip=$2 pages=$3 file
  # --without-pip and a pip from outside: no package manager among what runs with capabilities.
  rm -rf "$root$home"
  /usr/bin/python3 -m venv --system-site-packages --without-pip "$root$home"
  # --ignore-installed: what this host's Python happens to have, another one on which it is staged may lack.
  # shellcheck disable=SC2086 # a command of several words
  $pip --python "$root$home/bin/python" install --quiet --ignore-installed --no-compile --no-warn-script-location "$wheel"
  # Nothing may name the directory in which it was staged.
  find "$root$home/bin" -maxdepth 1 -type f ! -name flowtap -delete
  sed -i "1c #!$home/bin/python" "$root$home/bin/flowtap"
  sed -i '/^command = /d' "$root$home/pyvenv.cfg"
  rm -f "$root$home"/lib/python3*/site-packages/flowtap-*.dist-info/direct_url.json
  # Compiled now: the services may not write there.
  "$root$home/bin/python" -m compileall -q -s "$root$home" -p "$home" "$root$home/lib" >/dev/null || true

  install -d "$root$prefix/bin"
  ln -sf "$home/bin/flowtap" "$root$prefix/bin/flowtap"
  for file in "$pages"/*.1; do install -D -m 644 "$file" "$root$man/${file##*/}"; done
  for file in $(each_unit); do
    install -d "$root$units/$(dirname "$file")"
    sed "s|/usr/local/bin/|$prefix/bin/|" "$here/systemd/$file" >"$root$units/$file"
    chmod 644 "$root$units/$file"
  done
  install -D -m 644 "$here/systemd/flowtap.sysusers" "$root$system/sysusers.d/flowtap.conf"
  install -D -m 644 "$here/systemd/flowtap.tmpfiles" "$root$system/tmpfiles.d/flowtap.conf"
  install -D -m 644 "$here/systemd/flowtap.toml" "$root$share/flowtap.toml"
  if [ ! -e "$root$etc/flowtap.toml" ]; then
    install -D -m 644 "$here/systemd/flowtap.toml" "$root$etc/flowtap.toml"
  elif ! cmp -s "$root$share/flowtap.toml" "$root$etc/flowtap.toml"; then
    echo "$root$etc/flowtap.toml was changed and stays; the one of this version is $root$share/flowtap.toml"
  fi
  if live; then
    systemd-sysusers flowtap.conf
    systemd-tmpfiles --create flowtap.conf
    systemctl daemon-reload
    echo "Next: flowtap deploy --workers auto -i INTERFACE"
  fi
}

uninstall_all() {
  local file kept=
  if live && [ -x "$prefix/bin/flowtap" ]; then
    "$prefix/bin/flowtap" deploy --undo || die "cannot stop flowtap; nothing was removed"
  fi
  if [ -e "$root$etc/flowtap.toml" ] && cmp -s "$root$share/flowtap.toml" "$root$etc/flowtap.toml"; then
    rm -f "$root$etc/flowtap.toml"
  fi
  rm -rf "${root}$home" "$root$share" "${root}$cache" "${root}$cache-units"
  rm -f "$root$prefix/bin/flowtap" "$root$man"/flowtap.1 "$root$man"/flowtap-*.1
  for file in $(each_unit); do rm -f "$root$units/$file"; done
  rm -f "$root$system/sysusers.d/flowtap.conf" "$root$system/tmpfiles.d/flowtap.conf"
  rmdir "$root$units/flowtap-.service.d" 2>/dev/null || true
  if [ "${1:-}" = purge ]; then
    rm -rf "${root}$etc" "${root}$log"
  fi
  for file in "$root$etc" "$root$log"; do
    [ ! -d "$file" ] || rmdir "$file" 2>/dev/null || kept+=" $file"
  done
  if live; then
    rmdir /sys/fs/bpf/flowtap 2>/dev/null || true
    systemctl daemon-reload
    systemctl reset-failed 'flowtap*' 2>/dev/null || true
    # Events that stay keep their owner.
    if [ ! -d "$log" ] && id -u flowtap >/dev/null 2>&1; then userdel flowtap; fi
  fi
  [ -z "$kept" ] || echo "Kept, because it was changed or written since:$kept (make purge removes it)"
}

case ${1:-} in
  install) [ $# = 4 ] || die "expected: install WHEEL PIP MAN"; install_all "$2" "$3" "$4" ;;
  uninstall | purge) uninstall_all "$1" ;;
  *) die "expected install, uninstall or purge" ;;
esac
