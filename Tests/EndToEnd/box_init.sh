#!/bin/bash
# box_init.sh STATE [FROM:TO]...: inside fresh namespaces, lays out the root of a box and becomes
# its systemd. Started by box.sh only. With BOX_TREE=DIRECTORY it is the system of that tree, such as
# one with a newer systemd (mmdebstrap makes them), instead of a view of the machine's.
set -e
state=$1
shift
root=$state/memory/root

mount --make-rprivate /
mkdir "$state/memory"
mount -t tmpfs -o mode=755 box "$state/memory"
mkdir "$root" "$state/memory/changes" "$state/memory/work"
mount -t overlay box "$root" \
  -o "lowerdir=${BOX_TREE:-/},upperdir=$state/memory/changes,workdir=$state/memory/work"

# Nothing that the machine has enabled starts here. An empty machine-id, unlike a missing one,
# does not make this a first boot, on which systemd enables everything.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/system/*.requires
: > "$root/etc/machine-id"
: > "$root/etc/fstab"
for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service \
  systemd-random-seed.service sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-fs-fuse-connections.mount dev-hugepages.mount; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

mount -t tmpfs -o mode=755 box "$root/run"
mount -t tmpfs -o mode=1777 box "$root/tmp"
mount -t proc proc "$root/proc"
# Kernel settings are the machine's, not the box's.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 box "$root/dev"
for node in null zero full random urandom tty; do
  : > "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

# cgroup v2 only. If systemd found version 1 controllers missing it would mount them itself and
# make groups in hierarchies that belong to the machine: refuse to start in that case.
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
[ "$(stat -f -c %T "$root/sys/fs/cgroup")" = cgroup2fs ]
[ "$(sed -n 's/^0:://p' /proc/self/cgroup)" = / ]

for pair in "$@"; do
  mkdir -p "$root${pair#*:}"
  mount --bind "${pair%%:*}" "$root${pair#*:}"
done

ip link set lo up
hostname box
cd "$root"
mkdir -p run/outside
pivot_root . run/outside
umount -l run/outside
rmdir run/outside
# What systemd mounts for a service on its way into a namespace, credentials, has to arrive here; in
# what it takes for a container it leaves that to whoever has made it.
mount --make-rshared /
exec env -i container=procvitals-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_module --inh-caps=-sys_module \
  /lib/systemd/systemd --system --unit=basic.target --log-target=journal
