// How mounts end: as asked, by a signal, by force, while they are in use, and a
// hundred times over.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { isMounted, MountScene, mountTest, Server, waitFor } from "./_mount.ts";
import { noise } from "./_snapshots.ts";

const ROUNDS = new URL("./_mount_rounds.ts", import.meta.url).pathname;

async function prepare(scene: MountScene): Promise<string> {
  const bytes = noise(30_000_000, 1);
  Deno.writeFileSync(`${scene.source}/large`, bytes);
  Deno.writeTextFileSync(`${scene.source}/text`, "text");
  return (await scene.save()).tree;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  mountTest(`a mount ends by ${signal}`, async () => {
    await using scene = new MountScene();
    const server = await scene.mount(await prepare(scene));
    await scene.bash(`cmp "$SOURCE/large" "$MOUNT/large"`);
    server.signal(signal);
    const said = await server.finished();
    strictEqual(isMounted(scene.point), false, said.stderr);
    strictEqual(said.signal, null);
  });
}

mountTest("a mount ends when somebody else unmounts it", async () => {
  await using scene = new MountScene();
  const server = await scene.mount(await prepare(scene));
  await scene.bash(`umount "$MOUNT"`);
  const { code, stderr } = await server.finished();
  strictEqual(code, 0, stderr);
});

mountTest("snap umount ends a mount in the background", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const args = ["--store", scene.store, id, scene.point];
  const said = await scene.snap("mount", "--background", ...args);
  strictEqual(said.code, 0, said.stderr);
  await scene.bash(`cmp "$SOURCE/text" "$MOUNT/text"`);
  const ended = await scene.snap("umount", scene.point);
  strictEqual(ended.code, 0, ended.stderr);
  strictEqual(isMounted(scene.point), false);
});

mountTest(
  "a mount in use goes away at once, and ends with its last user",
  async () => {
    await using scene = new MountScene();
    const server = await scene.mount(await prepare(scene));
    {
      using file = Deno.openSync(`${scene.point}/large`);
      const buffer = new Uint8Array(1000);
      file.readSync(buffer);
      server.signal("SIGINT");
      await waitFor("unmounting", () => !isMounted(scene.point));
      file.seekSync(20_000_000, Deno.SeekMode.Start);
      file.readSync(buffer);
      const expected = noise(30_000_000, 1).subarray(20_000_000, 20_001_000);
      deepStrictEqual(buffer, expected);
    }
    const { signal } = await server.finished();
    strictEqual(signal, null);
  },
);

mountTest(
  "a server that is killed during a read leaves no dead mount",
  async () => {
    await using scene = new MountScene();
    const server = await scene.mount(await prepare(scene));
    const reader = scene.command(
      `read_all() {
      dd if="$MOUNT/large" iflag=direct bs=1M of=/dev/null status=none
    }
    read_all
    echo begin
    while read_all; do :; done`,
    ).spawn();
    const output = reader.stdout.getReader();
    await output.read();
    server.signal("SIGKILL");
    for (;;) if ((await output.read()).done) break;
    await Promise.all([reader.status, reader.stderr.cancel()]);
    strictEqual((await server.finished()).signal, "SIGKILL");
    await waitFor("cleaning up", () => !isMounted(scene.point));
    await scene.bash(`ls "$MOUNT"`);
  },
);

mountTest(
  "a server that is killed as soon as it has mounted leaves no dead mount",
  async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    for (let round = 0; round < 5; round++) {
      const server = new Server(scene, ["mount", "--foreground", id]);
      await waitFor("mounting", () => isMounted(scene.point));
      server.signal("SIGKILL");
      strictEqual((await server.finished()).signal, "SIGKILL");
      await waitFor("cleaning up", () => !isMounted(scene.point));
    }
  },
);

mountTest("a hundred mounts leave nothing behind", async () => {
  await using scene = new MountScene();
  const id = await prepare(scene);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", ROUNDS],
      ...[scene.store, id, scene.point, "100"],
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  ok(code === 0, text + new TextDecoder().decode(stderr));
  const { early, late } = JSON.parse(text);
  deepStrictEqual(late, early);
});
