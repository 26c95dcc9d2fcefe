import { match, strictEqual } from "node:assert/strict";
import { MountScene, mountTest } from "../tests/_mount.ts";

const NOBODY = 65534;

/**
 * Runs lines of bash as an ordinary user, to whom `/dev/fuse` is open, whatever it is on this
 * machine: a device of its own is bound over it where nobody else sees it.
 */
async function runAsUser(
  scene: MountScene,
  script: string,
  { deviceMode = 0o666 } = {},
) {
  const device = scene.folder.join("fuse");
  const home = scene.folder.join("home");
  Deno.mkdirSync(home, { recursive: true });
  const shared = await scene.shareProgram();
  await scene.bash(`rm -f "${device}"; mknod "${device}" c 10 229`);
  Deno.chmodSync(device, deviceMode);
  Deno.chownSync(home, NOBODY, NOBODY);
  Deno.writeTextFileSync(
    scene.folder.join("script"),
    `snap() { "$DENO" run -A "$ROOT/cli/main.ts" "$@"; }
     cd "$HOME"; mkdir -p mnt tree; echo alpha > tree/a
     snap save tree -t main -q > /dev/null
     ${script}\n`,
  );
  return await scene.run(`exec unshare -m --propagation slave bash -euc '
    mount --bind "${device}" /dev/fuse
    ${shared} HOME="${home}" TMPDIR="${home}"
    exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups \\
      bash "$FOLDER/script"'`);
}

mountTest("an ordinary user mounts, looks, and unmounts", async () => {
  await using scene = new MountScene();
  const { stdout, stderr } = await runAsUser(
    scene,
    `snap mount main mnt; cat mnt/a; snap ls --mounts | grep "$HOME" | cut -f 3-5
     snap umount mnt; grep -c "$HOME/mnt" /proc/self/mountinfo
     pid=$(snap mount main mnt --json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); kill -9 "$pid"
     for i in $(seq 100); do grep -q "$HOME/mnt" /proc/self/mountinfo || break; sleep 0.05; done
     ls -A mnt; snap mount main mnt; cat mnt/a; snap umount mnt; echo "$?"`,
  );
  strictEqual(stderr, "");
  const home = scene.folder.join("home");
  strictEqual(
    stdout,
    `${home}/mnt\nalpha\nok\t1\t4096\n0\n${home}/mnt\nalpha\n0\n`,
  );
});

mountTest(
  "an ordinary user sees that a mount of root is out of reach",
  async () => {
    await using scene = new MountScene();
    await scene.mount((await scene.save()).tree);
    const { stdout, stderr } = await runAsUser(
      scene,
      `snap ls --mounts | grep "$MOUNT" | cut -f 3-`,
    );
    strictEqual(stderr, "");
    strictEqual(stdout, "unreachable\t\t\n");
  },
);

mountTest(
  "an ordinary user is told what keeps the mount from coming",
  async () => {
    await using scene = new MountScene();
    const bin = scene.folder.join("bin");
    Deno.mkdirSync(bin);
    for (const name of ["bash", "sh"]) {
      Deno.symlinkSync(`/usr/bin/${name}`, `${bin}/${name}`);
    }
    const said = await runAsUser(
      scene,
      `snap mount main /usr || echo "$?"
     snap mount main mnt --allow-other || echo "$?"
     PATH="${bin}" snap mount main mnt || echo "$?"`,
    );
    strictEqual(said.stdout, "1\n1\n1\n");
    const lines = said.stderr.split("\n");
    match(
      lines[0],
      /^snap: Cannot mount on \/usr: fusermount3 refuses: .*write/,
    );
    match(lines[1], /hint: .*directory/);
    match(lines[2], /allow_other/);
    match(lines[3], /hint: .*\/etc\/fuse\.conf/);
    match(lines[4], /fusermount3/);
    match(lines[5], /hint: .*apt install fuse3/);
    const closed = await runAsUser(scene, "snap mount main mnt", {
      deviceMode: 0o600,
    });
    strictEqual(closed.code, 1);
    match(closed.stderr, /\/dev\/fuse.*\n {2}hint: .*chmod 666 \/dev\/fuse/);
  },
);

mountTest(
  "an ordinary user runs a command in a snapshot, under the own name",
  async () => {
    await using scene = new MountScene();
    const { stdout, stderr, code } = await runAsUser(
      scene,
      `snap exec main -- sh -c 'id -u; cat a; grep -c " $SNAP_MOUNT .* fuse.snap" /proc/self/mountinfo; exit 7' || echo "$?"
     ls -A "$TMPDIR" | grep exec || echo gone
     mkdir "$HOME/bin"; PATH="$HOME/bin:$PATH"
     printf '%s\\n' '#!/bin/sh' 'case "$*" in *map-current-user*) echo old >&2; exit 1;; esac' 'exec /usr/bin/unshare "$@"' > bin/unshare
     chmod 755 bin/unshare; snap exec main -- id -u
     printf '%s\\n' '#!/bin/sh' 'echo "unshare: failed: Operation not permitted" >&2; exit 1' > bin/unshare
     snap exec main -- true`,
    );
    strictEqual(stdout, `${NOBODY}\nalpha\n1\n7\ngone\n0\n`);
    match(
      stderr,
      /^snap: Cannot exec without a user namespace: failed: Operation not permitted\n {2}hint: /,
    );
    strictEqual(code, 1);
  },
);

mountTest(
  "an ordinary user lets a command write, and saves what it wrote",
  async () => {
    await using scene = new MountScene();
    const { stdout, stderr } = await runAsUser(
      scene,
      `snap exec --save built main -q -- sh -c 'id -u; echo beta > b; rm a; mkdir d; echo c > d/c'
     echo "$?"; snap ls -R built; ls -A "$TMPDIR" | grep exec || echo gone
     snap mount main mnt --writable; echo "$?"`,
    );
    // Not every kernel, nor every container, lets users mount overlays.
    if (
      /Cannot (mount writable|exec)[^\n]*\n {2}hint: [^]*$/.test(stderr) &&
      stdout.startsWith("1\n")
    ) return;
    strictEqual(stdout, `${NOBODY}\n0\nb\nd\nd/c\ngone\n1\n`, stderr);
    match(
      stderr,
      /^snap: Cannot mount writable on .*: this user may not mount overlays\n {2}hint: root may, and so may exec --save/,
    );
  },
);
