import { match, ok, strictEqual } from "node:assert/strict";
import { MountScene, mountTest } from "../../tests/_mount.ts";

mountTest("an ordinary user mounts by fusermount3", async (t) => {
  await using scene = new MountScene("/tmp");
  const has = await scene.run("command -v fusermount3 setpriv unshare mknod");
  if (has.code !== 0) return console.log("left out: fusermount3 is needed");
  await scene.bash(`printf text > "$SOURCE/text"`);
  const { tree } = await scene.save();
  const shared = await scene.shareProgram();
  // The device is for everybody in a name space of its own; nobody is a user that there is.
  const run = async (mode: string, before = ":"): Promise<string> => {
    const { stdout, stderr } = await scene.run(`
      cat > run.sh <<'END'
        mount -t tmpfs none /mnt
        mknod -m 666 /mnt/fuse c 10 229
        mount --bind /mnt/fuse /dev/fuse
        ${before}
        setpriv --reuid=65534 --regid=65534 --clear-groups \
          env HOME="$FOLDER/home" DENO_DIR="$FOLDER/home" "$DENO" run -A \
          --no-npm --no-lock --config "$ROOT/deno.json" \
          "$ROOT/fuse/testdata/user_mount.ts" \
          "$STORE" ${tree} "$MOUNT" ${mode}
        for _ in $(seq 400); do
          grep -q "$MOUNT" /proc/self/mountinfo || break
          sleep 0.01
        done
        grep "$MOUNT" /proc/self/mountinfo
END
      mkdir -p home
      chown -R 65534:65534 home "$MOUNT"
      chmod -R a+rX "$FOLDER"
      ${shared}
      unshare -m bash run.sh`);
    return stdout + stderr;
  };
  const source = `text fuse.snap snap:${tree.slice(0, 12)}`;
  await t.step("plain", async () => {
    strictEqual(await run("plain"), `${source}\nunmounted\n`);
  });
  await t.step("busy", async () => {
    const said = await run("busy");
    match(said, /in use: it is out of sight/);
    ok(said.endsWith("unmounted\n"), said);
  });
  await t.step("killed", async () => {
    const said = await run("kill");
    ok(said.startsWith(`${source}\n`) && !said.includes("mountinfo"), said);
    ok(!/fuse.snap ro/.test(said), said);
  });
  await t.step("for others, who are not let in", async () => {
    match(await run("other"), /^NO_ALLOW_OTHER .*user_allow_other/);
  });
  await t.step("without a helper", async () => {
    const said = await run(
      "plain",
      `mkdir -p bin; ln -sf $(command -v setpriv env grep sleep seq) bin; PATH=$PWD/bin`,
    );
    match(said, /^NO_FUSERMOUNT /);
  });
  await t.step("without rights to the device", async () => {
    match(await run("plain", "chmod 600 /dev/fuse"), /^NO_PERMISSION /);
  });
});
