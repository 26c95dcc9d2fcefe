import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { Id } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { openFileStore } from "@snap/store/file";
import {
  type ReadOptions,
  type ReadStore,
  type StoreEntry,
  StoreError,
} from "@snap/store";
import { HostileStore } from "../../tests/_hostile_store.ts";
import {
  isMounted,
  MountScene,
  mountTest,
  waitFor,
} from "../../tests/_mount.ts";
import { noise } from "../../tests/_snapshots.ts";
import { type Mount, mount, type MountOptions } from "./mount.ts";
import { MountError } from "./mount_error.ts";
import { prepareMount } from "./prepare_mount.ts";

/** A store whose files nobody else can open, and whose packs come when a test lets them. */
class RemoteStore implements ReadStore {
  readonly #inner: ReadStore;
  /** What a read of a pack does first. */
  gate: () => Promise<void> = () => Promise.resolve();
  /** Number of reads of packs that wait. */
  waitingCount = 0;

  constructor(inner: ReadStore) {
    this.#inner = inner;
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    if (name.startsWith("packs/")) {
      this.waitingCount++;
      await this.gate();
      this.waitingCount--;
    }
    return await this.#inner.read(name, options);
  }

  size(name: string): Promise<number | undefined> {
    return this.#inner.size(name);
  }

  list(prefix: string): AsyncIterable<StoreEntry[]> {
    return this.#inner.list(prefix);
  }
}

/** A mount of a store that is not local. */
class RemoteScene extends MountScene {
  store_!: RemoteStore;
  mount_!: Mount;
  readonly log: string[] = [];

  /** Saves the source, and mounts it. */
  async start(options: Partial<MountOptions> = {}): Promise<void> {
    const record = await this.save();
    this.store_ = new RemoteStore(await openFileStore(this.store));
    this.mount_ = await mount(this.store_, record, {
      mountpoint: this.point,
      hasher: wasmHasher,
      onLog: ({ message }) => this.log.push(message),
      ...options,
    });
  }

  /** Closes the gate; opens it again when what is returned is called. */
  close(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.store_.gate = () => promise;
    return () => {
      this.store_.gate = () => Promise.resolve();
      resolve();
    };
  }

  /** Writes files that do not shrink, each in megabytes of its own. */
  writeLarge(...names: string[]): void {
    names.forEach((name, i) => {
      Deno.writeFileSync(`${this.source}/${name}`, noise(5 << 20, i + 1));
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.store_.gate = () => Promise.resolve();
    await this.mount_.unmount();
    await super[Symbol.asyncDispose]();
  }
}

mountTest("a store that is not local is mounted", async () => {
  await using scene = new RemoteScene();
  scene.writeLarge("a", "b");
  await scene.bash(`mkdir -p "$SOURCE"/c/d/e; seq 99999 > "$SOURCE"/c/d/e/f`);
  await scene.start();
  await scene.bash(`diff -r "$SOURCE" "$MOUNT"`);
  ok(scene.mount_.statistics().parked > 0);
  deepStrictEqual(scene.log, []);
});

mountTest("a read that waits for the store holds up no other", async () => {
  await using scene = new RemoteScene();
  scene.writeLarge("a", "b", "c");
  await scene.start();
  await scene.bash(`cmp "$SOURCE"/b "$MOUNT"/b; ls -lR "$MOUNT"`);
  const open = scene.close();
  const reader = scene.command(`cmp "$SOURCE"/a "$MOUNT"/a`).spawn();
  let isRead = false;
  const read = reader.output().then(({ success }) => {
    isRead = true;
    ok(success);
  });
  await waitFor("a read", () => scene.mount_.statistics().parked > 0);
  // Not by the pages that the kernel keeps.
  await scene.bash(
    `dd if="$MOUNT"/b iflag=nocache count=0 2>&1; cmp "$SOURCE"/b "$MOUNT"/b; ls -lR "$MOUNT"`,
  );
  ok(!isRead);
  open();
  await read;
});

mountTest("200 reads that wait do not stop ls, and can be killed", async () => {
  await using scene = new RemoteScene();
  for (let i = 0; i < 200; i++) {
    Deno.writeFileSync(`${scene.source}/${i}`, noise(300_000, i + 1));
  }
  await scene.start();
  await scene.bash(`ls -lR "$MOUNT"`);
  const open = scene.close();
  const readers = Array.from(
    { length: 200 },
    (_, i) =>
      new Deno.Command("cat", {
        args: [`${scene.point}/${i}`],
        stdout: "null",
        stderr: "null",
      }).spawn(),
  );
  const { mount_ } = scene;
  await waitFor("parking", () => mount_.statistics().parked >= 200);
  await scene.bash(`ls -lR "$MOUNT" | wc -l`);
  for (const reader of readers) reader.kill("SIGKILL");
  for (const { status } of readers) strictEqual((await status).code, 137);
  open();
  await scene.bash(`cmp "$SOURCE"/7 "$MOUNT"/7`);
});

mountTest("a look-up that waits can be killed, and asked again", async () => {
  await using scene = new RemoteScene();
  await scene.bash(`mkdir -p "$SOURCE"/c/d/e`);
  await scene.start();
  const { mount_ } = scene;
  const open = scene.close();
  const reader = scene.command(`exec ls "$MOUNT"/c/d`).spawn();
  const output = reader.output();
  await waitFor("parking", () => mount_.statistics().parked > 0);
  reader.kill("SIGKILL");
  strictEqual((await output).code, 137);
  await waitFor("telling", () => mount_.statistics().interrupted > 0);
  open();
  strictEqual(await scene.bash(`ls "$MOUNT"/c/d`), "e\n");
});

mountTest(
  "a store that fails is an error for who reads, and no more",
  async () => {
    await using scene = new RemoteScene();
    scene.writeLarge("a");
    await scene.start();
    scene.store_.gate = () => {
      const fields = { code: "EACCES", action: "read" } as const;
      return Promise.reject(new StoreError("Cannot read: refused", fields));
    };
    const failed = await scene.run(`cat "$MOUNT"/a | wc -c`);
    match(failed.stderr, /Input\/output error/);
    ok(scene.log.some((line) => /^Cannot read packs\/.*refused/.test(line)));
    scene.store_.gate = () => Promise.resolve();
    // What the kernel has read ahead may still be on its way, and fails with it.
    await scene.bash(`until cmp "$SOURCE"/a "$MOUNT"/a; do sleep 0.1; done`);
  },
);

mountTest("a store that never answers is an error after a while", async () => {
  await using scene = new RemoteScene();
  scene.writeLarge("a");
  await scene.start({ deadlineMs: 300 });
  const open = scene.close();
  const { code, stderr } = await scene.run(`cat "$MOUNT"/a > /dev/null`);
  strictEqual(code, 1);
  match(stderr, /Input\/output error/);
  open();
  // A busy machine may take its time, too.
  await scene.bash(`until cmp "$SOURCE"/a "$MOUNT"/a; do sleep 0.1; done`);
});

/** A small tree that is saved, and what mounts it. */
async function small(scene: MountScene) {
  Deno.writeTextFileSync(`${scene.source}/text`, "text");
  const record = await scene.save();
  const store = await openFileStore(scene.store);
  const log: string[] = [];
  const start = (options: Partial<MountOptions> = {}) =>
    mount(store, record, {
      mountpoint: scene.point,
      hasher: wasmHasher,
      onLog: ({ message }) => log.push(message),
      ...options,
    });
  return { record, store, log, start };
}

mountTest("a snapshot is mounted by its id, and by a record", async () => {
  await using scene = new MountScene();
  const { record, store, start } = await small(scene);
  for (const what of [record.tree, record]) {
    await using mounted = await mount(store, what, {
      mountpoint: `${scene.point}/../mount`,
      hasher: wasmHasher,
      workers: 1,
    });
    strictEqual(mounted.mountpoint, Deno.realPathSync(scene.point));
    strictEqual(mounted.source, `snap:${record.tree.slice(0, 12)}`);
    strictEqual(await scene.bash(`cat "$MOUNT"/text`), "text");
    strictEqual(
      await scene.bash(
        `cat /sys/class/bdi/$(mountpoint -d "$MOUNT")/read_ahead_kb`,
      ),
      "1024\n",
    );
    ok(mounted.statistics().requests.LOOKUP >= 1);
  }
  ok(!isMounted(scene.point));
  const unknown = "0".repeat(64) as Id;
  await rejects(
    mount(store, unknown, { mountpoint: scene.point, hasher: wasmHasher }),
    { name: "MountError", code: "NO_RECORD" },
  );
  await rejects(start({ signal: AbortSignal.abort() }), { name: "AbortError" });
});

mountTest("a worker that was prepared is used, or ends", async () => {
  await using scene = new MountScene();
  const { start } = await small(scene);
  for (const hasher of ["wasm", "native"] as const) {
    const prepared = prepareMount(hasher);
    await using _mounted = await start({ prepared, workers: 1 });
    strictEqual(await scene.bash(`cat "$MOUNT"/text`), "text");
  }
  const prepared = prepareMount("wasm");
  const mountpoint = `${scene.point}/absent`;
  await rejects(start({ prepared, mountpoint }), { code: "NO_DIRECTORY" });
  await prepared.worker.ended;
});

mountTest("what cannot be mounted on is refused in words", async () => {
  await using scene = new MountScene();
  const { log, start } = await small(scene);
  const failure = async (mountpoint: string): Promise<string> => {
    try {
      await (await start({ mountpoint })).unmount();
      return "mounted";
    } catch (error) {
      ok(error instanceof MountError && error.hint.length > 10);
      return error.code;
    }
  };
  strictEqual(await failure(`${scene.point}/absent`), "NO_DIRECTORY");
  strictEqual(await failure(`${scene.source}/text`), "NO_DIRECTORY");
  strictEqual(await failure("/proc"), "MOUNTED");
  // It would read its own mount, and wait for itself.
  strictEqual(await failure(scene.folder.path), "HIDES_STORE");
  strictEqual(await failure(scene.store), "HIDES_STORE");
  strictEqual(await failure(`${scene.store}/packs`), "HIDES_STORE");
  deepStrictEqual(log, []);
  strictEqual(await failure(scene.source), "mounted");
  match(log.join(), /is not empty: what is in it is hidden$/);
});

mountTest(
  "a dead mount of ours is cleared, one of others explained",
  async () => {
    await using scene = new MountScene();
    const { start } = await small(scene);
    const dead = async (type: string): Promise<void> => {
      const code = `
      import { posix } from ${
        JSON.stringify(import.meta.resolve("@snap/posix"))
      };
      const b = (text) => new TextEncoder().encode(text + "\\0");
      const fd = posix.open(b("/dev/fuse"), 2, 0);
      const options = "fd=" + fd + ",rootmode=40000,user_id=0,group_id=0";
      const result = posix.mount(b("dead"), b(Deno.args[0]), b(Deno.args[1]), 7, b(options));
      if (result !== 0) throw result;`;
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--ext=ts", code, scene.point, type],
      }).output();
      ok(success, new TextDecoder().decode(stderr));
      match((await scene.run(`ls "$MOUNT"`)).stderr, /not connected/);
    };
    await dead("fuse.other");
    await rejects(start(), { code: "STALE" });
    await scene.bash(`umount -l "$MOUNT"`);
    await dead("fuse.snap");
    await using _mounted = await start();
    strictEqual(await scene.bash(`cat "$MOUNT"/text`), "text");
  },
);

mountTest("a mount in use ends with its last user, or at once", async () => {
  await using scene = new MountScene();
  const { log, start } = await small(scene);
  const stop = new AbortController();
  const mounted = await start({ signal: stop.signal });
  const file = await Deno.open(`${scene.point}/text`);
  stop.abort();
  await waitFor("unmounting", () => !isMounted(scene.point));
  await waitFor("a line", () => log.length > 0);
  match(log[0], /is in use/);
  file.close();
  await mounted.finished;
  const again = await start();
  const other = await Deno.open(`${scene.point}/text`);
  await again.abort();
  ok(!isMounted(scene.point));
  await rejects(other.read(new Uint8Array(1)));
  other.close();
});

mountTest("a mount whose connection is cut says so", async () => {
  await using scene = new MountScene();
  const { start } = await small(scene);
  const mounted = await start();
  const device = Deno.statSync(scene.point).dev;
  const cut = await scene.run(
    `mkdir control; mount -t fusectl none control; trap "umount control" EXIT
     echo 1 > control/${device & 0xff}/abort`,
  );
  if (cut.code !== 0) {
    console.log(`left out: ${cut.stderr}`);
    return await mounted.unmount();
  }
  await rejects(mounted.finished, { name: "MountError", code: "FAILED" });
  ok(!isMounted(scene.point));
});

mountTest(
  "a large file whose chunks are right and whose whole is not is found out",
  async () => {
    await using scene = new MountScene();
    const hostile = new HostileStore();
    const recipe = new RecipeBuilder({
      hasher: wasmHasher,
      onNode: (bytes, id) => hostile.add(bytes.slice(), id, ObjectKind.recipe),
    });
    for (const seed of [1, 2]) {
      recipe.push(hostile.content(noise(40_000, seed)), 0, 40_000);
    }
    const id = new Uint8Array(32).fill(7);
    recipe.finish({ id, kind: ObjectKind.content });
    const root = hostile.directory([{ name: "liar", id, value: 80_000 }]);
    const files = await openFileStore(scene.store, { create: true });
    const { snapshots, record } = await hostile.write(files, root);
    await snapshots[Symbol.asyncDispose]();
    const log: string[] = [];
    await using _mounted = await mount(files, record, {
      mountpoint: scene.point,
      hasher: wasmHasher,
      onLog: ({ message }) => log.push(message),
    });
    strictEqual(await scene.bash(`cat "$MOUNT"/liar | wc -c`), "80000\n");
    await waitFor("a check", () => log.length > 0);
    match(log[0], /^Content 0707.* is not what its id says/);
    const again = await scene.run(
      `dd if="$MOUNT"/liar iflag=nocache count=0; cat "$MOUNT"/liar`,
    );
    match(again.stderr, /Input\/output error/);
  },
);
