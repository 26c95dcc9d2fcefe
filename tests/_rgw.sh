#!/usr/bin/env bash
# A real S3 server for tests: Ceph's RADOS gateway on one in-memory OSD, from stock Debian 12 packages.
#   rgw.sh up DIR [PORT]    prints S3_ENDPOINT=... when it answers (about 13 s; 0.5 GB of memory, data gone at the end)
#   rgw.sh down DIR
# Needs root and, once: apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
set -euo pipefail
verb=${1:?up or down}; mkdir -p "${2:?a folder}"; d=$(cd "$2" && pwd); port=${3:-18002}
down() {
  for name in rgw osd mon; do
    if [[ -f $d/$name.pid ]]; then kill -9 "$(cat "$d/$name.pid")" 2>/dev/null || true; rm -f "$d/$name.pid"; fi
  done
}
if [[ $verb == down ]]; then down; exit 0; fi
down; rm -rf "$d"/{mon,osd,run,log}; mkdir -p "$d"/{mon,osd,run,log}
fsid=11111111-2222-3333-4444-555555555555 osd=99999999-2222-3333-4444-555555555555
cat >"$d/ceph.conf" <<CONF
[global]
fsid = $fsid
mon_host = [v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = $d/keyring
run_dir = $d/run
log_file = $d/log/\$name.log
admin_socket = $d/run/\$name.asok
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_data = $d/osd
mon_data = $d/mon
mon_cluster_log_file = $d/log/cluster.log
osd_memory_target = 1073741824
[client.rgw.r]
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
CONF
conf=(-c "$d/ceph.conf"); key=$d/keyring
{
  monmaptool --create --clobber --fsid $fsid --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$d/monmap"
  ceph-authtool -C "$key" -n mon. --gen-key --cap mon 'allow *'
  ceph-authtool "$key" -n client.admin --gen-key --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  ceph-authtool "$key" -n osd.0 --gen-key --cap mon 'allow profile osd' --cap osd 'allow *'
  ceph-authtool "$key" -n client.rgw.r --gen-key --cap mon 'allow rw' --cap osd 'allow rwx'
  ceph-mon "${conf[@]}" -i a --mkfs --monmap "$d/monmap" --keyring "$key"
} >"$d/log/setup.out" 2>&1
ceph-mon "${conf[@]}" -i a -f >"$d/log/mon.out" 2>&1 </dev/null & echo $! >"$d/mon.pid"
sleep 1
timeout 20 ceph "${conf[@]}" osd new $osd >>"$d/log/setup.out" 2>&1
timeout 60 ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid $osd >>"$d/log/setup.out" 2>&1
ceph-osd "${conf[@]}" -i 0 -f >"$d/log/osd.out" 2>&1 </dev/null & echo $! >"$d/osd.pid"
sleep 1
timeout 100 radosgw-admin "${conf[@]}" -n client.rgw.r user create --uid=t --display-name=t --access-key=AKIATEST --secret=SECRETTEST >>"$d/log/setup.out" 2>&1
radosgw "${conf[@]}" -n client.rgw.r -f >"$d/log/rgw.out" 2>&1 </dev/null & echo $! >"$d/rgw.pid"
for _ in $(seq 120); do
  sleep 0.25
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "S3_ENDPOINT=http://127.0.0.1:$port S3_ACCESS_KEY=AKIATEST S3_SECRET_KEY=SECRETTEST S3_REGION=us-east-1"
    exit 0
  fi
done
echo "rgw.sh: no answer on port $port: see $d/log" >&2
exit 1
