#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Become systemd in a root directory of its own. Usage: boot.sh LOWER FOLDER, in fresh namespaces of every kind but user.
# LOWER is a list of directories as overlayfs takes it; what the system writes goes to memory and vanishes with it.
# FOLDER is an empty directory that becomes the root; FOLDER.log is written until systemd writes its own journal.
set -euo pipefail
lower=$1 base=$2
exec </dev/null >"$base.log" 2>&1

mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base"/{upper,work,root}
mount -t overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
cd "$base/root"

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm old
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
touch dev/console
ln -sf /dev/null etc/systemd/system/console-getty.service  # there is no console

# A namespace of its own sees all cgroups below this point only: the host's are out of reach.
hostname flowtap-test
pivot_root . old
umount -l /old
rmdir /old
exec env -i container=flowtap-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=0
