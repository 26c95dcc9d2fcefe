// Mounts by who is not root: in a mount namespace of its own with a device that
// everybody may open, as udev makes it, whatever this machine has.
import { match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ROOT } from "../_tools/workspace.ts";
import { MountScene, mountTest, type Said } from "./_mount.ts";
import { noise } from "./_snapshots.ts";

/** Another user, who may read the sources and the store wherever they lie. */
const AS_USER =
  "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search --";

/** Runs lines of bash in the namespace; `user` runs a program as the user, `snap` ours. */
async function runAsUser(
  scene: MountScene,
  device: { readonly mode: string },
  script: string,
): Promise<Said> {
  return await scene.run(`unshare -m bash -euo pipefail -c '
    mkdir "$FOLDER/devices"
    mount -t tmpfs -o mode=755 devices "$FOLDER/devices"
    mknod -m ${device.mode} "$FOLDER/devices/fuse" c 10 229
    mount --bind "$FOLDER/devices/fuse" /dev/fuse
    chown 65534:65534 "$MOUNT"
    export HOME="$MOUNT"
    user() { ${AS_USER} "$@"; }
    snap() { user "$DENO" run -A ${ROOT}cli/main.ts "$@"; }
    ${script}'`);
}

async function prepare(scene: MountScene): Promise<string> {
  await scene.bash(`chmod 755 "$FOLDER"; mkdir "$SOURCE/deep"`);
  Deno.writeFileSync(`${scene.source}/deep/large`, noise(2_000_000, 1));
  Deno.writeTextFileSync(`${scene.source}/text`, "text");
  return (await scene.save()).tree;
}

mountTest("a user mounts by fusermount3, reads, and unmounts", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const { code, stdout, stderr } = await runAsUser(
    scene,
    { mode: "666" },
    `
    snap mount --background --store "$STORE" ${id} "$MOUNT"
    user diff -r "$SOURCE" "$MOUNT"
    grep " $MOUNT " /proc/self/mountinfo | grep -q "nosuid,nodev"
    ! cat "$MOUNT/text" 2>/dev/null # It is private to the user, even for root.
    snap umount "$MOUNT"
    ! grep " $MOUNT " /proc/self/mountinfo`,
  );
  strictEqual(code, 0, stdout + stderr);
});

mountTest(
  "a server of a user that is killed leaves no dead mount",
  async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    const { code, stdout, stderr } = await runAsUser(
      scene,
      { mode: "666" },
      `
    pid=$(snap mount --background --json --store "$STORE" ${id} "$MOUNT" |
      grep -o "\\"pid\\":[0-9]*" | cut -d : -f 2)
    kill -9 $pid
    for i in $(seq 1000); do
      grep -q " $MOUNT " /proc/self/mountinfo || exit 0
      sleep 0.01
    done
    echo it is still there; exit 1`,
    );
    strictEqual(code, 0, stdout + stderr);
  },
);

mountTest("a user who may not open the device is told what to do", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const { code, stderr } = await runAsUser(
    scene,
    { mode: "600" },
    `snap mount --background --store "$STORE" ${id} "$MOUNT"`,
  );
  notStrictEqual(code, 0);
  match(stderr, /\/dev\/fuse/);
  match(stderr, /chmod|0666|666|permission/i);
});

mountTest("a user without fusermount3 is told what to install", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const { code, stderr } = await runAsUser(
    scene,
    { mode: "666" },
    `mount -t tmpfs empty "$FOLDER/devices"
    for name in $(type -ap fusermount3 fusermount | sort -u); do
      touch "$FOLDER/devices/none"
      mount --bind "$FOLDER/devices/none" "$name"
    done
    snap mount --background --store "$STORE" ${id} "$MOUNT"`,
  );
  notStrictEqual(code, 0);
  match(stderr, /fusermount3/);
  match(stderr, /fuse3/);
});

mountTest("mount points that cannot be are told apart", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const mount = (point: string) =>
    scene.snap("mount", "--store", scene.store, id, point);
  const refused = async (point: string, reason: RegExp) => {
    const { code, stderr } = await mount(point);
    notStrictEqual(code, 0);
    match(stderr, reason);
  };
  await refused(scene.folder.join("absent"), /absent/);
  await refused(`${scene.source}/text`, /not a directory/);
  Deno.writeTextFileSync(`${scene.point}/hidden`, "");
  const server = await scene.mount(id);
  await refused(scene.point, /already|mounted/);
  const { code, stderr } = await server.end();
  strictEqual(code, 0);
  match(stderr, /empty|hid/);
});

/** Entries on which lists decide: some let in whom the mode keeps out, others keep out. */
const WITH_LISTS = `
cd "$SOURCE"; mkdir open closed; echo 1 | tee denied given grouped masked plain open/in closed/in >/dev/null
chmod 644 denied plain; chmod 600 given; chmod 640 grouped; chmod 750 open; chmod 755 closed
setfacl -m u:1600:--- denied; setfacl -m u:1600:r given; setfacl -m g:1700:--- grouped
setfacl -m u:1600:rw masked; setfacl -m m::- masked; setfacl -m u:1600:rx open
setfacl -m u:1600:---,d:u:1601:--- closed; chown :1700 grouped
chmod 755 . "$FOLDER" "$MOUNT"`;

/** Tells what each of some users can read below a folder. */
function readers(folder: string): string {
  return `for user in "1600 1600" "1601 1601" "1602 1700"; do set -- $user
    for path in denied given grouped masked plain open/in closed/in; do
      setpriv --reuid $1 --regid $2 --clear-groups \\
        cat "${folder}/$path" >/dev/null 2>&1 && echo "$1 reads $path" || :
    done; done`;
}

for (const isAll of [false, true]) {
  const what = isAll ? "a mount of all" : "a mount";
  mountTest(`${what} for others lets in whom the source lets in`, async () => {
    await using scene = new MountScene();
    await scene.bash(WITH_LISTS);
    const { tree } = await scene.save();
    await scene.mount(isAll ? "--all" : tree, "--allow-other");
    const root = isAll ? `$MOUNT/ids/${tree}` : "$MOUNT";
    const expected = await scene.bash(readers("$SOURCE"));
    ok(expected.includes("1600 reads given\n"));
    ok(!expected.includes("1600 reads denied\n"));
    strictEqual(await scene.bash(readers(root)), expected);
    strictEqual(
      await scene.bash(`cd "${root}"; getfacl -n . * */*`),
      await scene.bash(`cd "$SOURCE"; getfacl -n . * */*`),
    );
  });
}
