import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openFileStore } from "@snap/store/file";
import {
  isMounted,
  MountScene,
  mountTest,
  waitFor,
} from "../../tests/_mount.ts";
import type { CatalogSource } from "../catalog/catalog_source.ts";
import { mount, mountAll, type MountOptions } from "./mount.ts";

/** A snapshot of one file, and what mounts it. */
async function small(scene: MountScene) {
  Deno.writeTextFileSync(`${scene.source}/text`, "text");
  const record = await scene.save();
  const store = await openFileStore(scene.store);
  const given = { mountpoint: scene.point, hasher: wasmHasher };
  const start = (options: Partial<MountOptions> = {}) =>
    mount(store, record, { ...given, ...options });
  return { store, given, start };
}

mountTest("a store that never answers keeps no mount of all", async () => {
  await using scene = new MountScene();
  const { store, given } = await small(scene);
  const never = () => new Promise<never>(() => {});
  const source: CatalogSource = {
    recordNames: never,
    record: never,
    tags: never,
    tagNumbers: never,
    tagEntry: never,
  };
  const log: string[] = [];
  const mounted = await mountAll(store, source, {
    ...given,
    deadlineMs: 300,
    onLog: ({ message }) => log.push(message),
  });
  const late = await scene.run(`ls "$MOUNT"/ids`);
  strictEqual(late.code, 2);
  ok(late.stderr.includes("Input/output error"));
  const killed = await scene.run(`timeout -s KILL 0.1 ls "$MOUNT"/tags`);
  strictEqual(killed.code, 137);
  await mounted.unmount();
  match(log[0], /^Cannot list .* gave no answer within 300 ms/);
});

mountTest("what is mounted in the place of a mount stays", async () => {
  await using scene = new MountScene();
  const { start } = await small(scene);
  for (const end of ["unmount", "abort"] as const) {
    const before = await start();
    using _used = Deno.openSync(`${scene.point}/text`);
    await scene.bash(`umount -l "$MOUNT"`);
    await using _after = await start();
    // Ends with the file that is open, or at once.
    const ended = before[end]();
    if (end === "unmount") _used.close();
    await ended;
    strictEqual(await scene.bash(`cat "$MOUNT"/text`), "text");
  }
});

mountTest(
  "a server that is killed takes no mount of others along",
  async () => {
    await using scene = new MountScene();
    const { start } = await small(scene);
    const { tree } = await scene.save();
    const server = await scene.mount(tree);
    using _used = Deno.openSync(`${scene.point}/text`);
    await scene.bash(`umount -l "$MOUNT"`);
    await using _after = await start();
    const watchdog = await scene.bash(`pgrep -P ${server.pid} -x sh`);
    server.signal("SIGKILL");
    await waitFor(
      "the watchdog",
      () => {
        try {
          return !Deno.statSync(`/proc/${watchdog.trim()}`).isDirectory;
        } catch {
          return true;
        }
      },
    );
    strictEqual(await scene.bash(`cat "$MOUNT"/text`), "text");
  },
);

mountTest("memory that cannot be had leaves no mount", async () => {
  await using scene = new MountScene();
  const { start } = await small(scene);
  await rejects(start({ cacheSize: 2 ** 50 }), RangeError);
  ok(!isMounted(scene.point));
  const open = await scene.run(`find /proc/${Deno.pid}/fd -lname /dev/fuse`);
  strictEqual(open.stdout, "");
});
