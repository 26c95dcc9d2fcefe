import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { openFileStore } from "@snap/store/file";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import {
  makeFileStore,
  makeMemorySnapshots,
  open,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { canMount, mountTmpfs, unmount } from "../tests/_tmpfs.ts";
import { swap } from "./swap.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;

/** A folder with an old directory, and a snapshot of a new one. */
class Scene implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly target = this.folder.join("place/target");

  constructor() {
    const source = this.folder.join("source");
    mkdirSync(join(source, "sub"), { recursive: true });
    writeFileSync(join(source, "a"), "new");
    writeFileSync(join(source, "sub/b"), "new");
    this.makeOld();
  }

  makeOld(): void {
    mkdirSync(join(this.target, "sub"), { recursive: true });
    for (const name of ["a", "old", "sub/b"]) {
      writeFileSync(join(this.target, name), "old");
    }
  }

  async record(snapshots: Snapshots): Promise<NamedRecord> {
    return (await save(snapshots as never, this.folder.join("source"))).record;
  }

  /** What stands beside the target, it too. */
  get beside(): string[] {
    return readdirSync(this.folder.join("place")).sort();
  }

  /** Whether the target is all of the old one, or all of the new one. */
  get state(): string {
    const files = readdirSync(this.target, { recursive: true }) as string[];
    const names = files.sort().join(" ");
    const said = ["a", "sub/b"].map((name) =>
      readFileSync(join(this.target, name), "utf8")
    ).join(" ");
    return `${names}: ${said}`;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

const OLD = "a old sub sub/b: old old";
const NEW = "a sub sub/b: new new";

async function withScene(
  run: (
    scene: Scene,
    snapshots: Snapshots,
    record: NamedRecord,
  ) => Promise<void>,
): Promise<void> {
  await using snapshots = await makeMemorySnapshots();
  using scene = new Scene();
  await run(scene, snapshots, await scene.record(snapshots));
}

Deno.test("swap: the new directory is in place, and the old one gone or kept", async () => {
  await withScene(async (scene, snapshots, record) => {
    const { errors } = await swap(snapshots, record, scene.target);
    deepEqual([scene.state, scene.beside, errors], [NEW, ["target"], []]);
    rmSync(scene.target, { recursive: true });
    scene.makeOld();
    await swap(snapshots, record, scene.target, { keepOld: "before" });
    deepEqual([scene.state, scene.beside], [NEW, ["before", "target"]]);
    equal(readFileSync(join(scene.target, "../before/old"), "utf8"), "old");
    await rejects(
      swap(snapshots, record, scene.target, { keepOld: "before" }),
      /before is there already/,
    );
    rmSync(scene.target, { recursive: true });
    await swap(snapshots, record, scene.target);
    deepEqual([scene.state, scene.beside], [NEW, ["before", "target"]]);
  });
});

Deno.test("swap: both are whole at the moment before, and what fails then changes nothing", async () => {
  await withScene(async (scene, snapshots, record) => {
    const failure = new Error("stop");
    const onComplete = (): void => {
      equal(scene.state, OLD);
      equal(scene.beside.length, 2);
      throw failure;
    };
    await rejects(
      swap(snapshots, record, scene.target, { onComplete }),
      failure,
    );
    deepEqual([scene.state, scene.beside], [OLD, ["target"]]);
    const signal = AbortSignal.abort(failure);
    await rejects(swap(snapshots, record, scene.target, { signal }), failure);
    deepEqual([scene.state, scene.beside], [OLD, ["target"]]);
  });
});

Deno.test("swap: what is no directory of its own is refused by its reason", async () => {
  await withScene(async (scene, snapshots, record) => {
    const at = (name: string) => join(scene.target, "..", name);
    symlinkSync("target", at("link"));
    writeFileSync(at("file"), "");
    const cases: [string, RegExp, string?][] = [
      ["link", /it is a symbolic link/],
      ["file", /it is not a directory/],
      ["..", /not the name of a directory/],
      ["x".repeat(250), /its name is too long/],
      ["target", /"a\/b" is not a name/, "a/b"],
    ];
    for (const [name, reason, keepOld] of cases) {
      const path = `${scene.folder.join("place")}/${name}`;
      const how = keepOld === undefined ? {} : { keepOld };
      await rejects(swap(snapshots, record, path, how), {
        name: "SwapError",
        message: reason,
      });
    }
    equal(scene.state, OLD);
    if (!canMount()) return;
    mountTmpfs(scene.target, "64k");
    try {
      await rejects(swap(snapshots, record, scene.target), /is mounted there/);
    } finally {
      unmount(scene.target);
    }
  });
});

Deno.test("swap: a store that lies in the old directory stays", async () => {
  using scene = new Scene();
  const path = join(scene.target, "store");
  await makeFileStore(path, DEFAULT_SETTINGS);
  await using snapshots = await open(await openFileStore(path));
  const record = await scene.record(snapshots);
  await rejects(swap(snapshots, record, scene.target), /store .* lies in it/);
  ok(existsSync(join(path, "config")));
});

Deno.test("swap: a snapshot that cannot be restored in full changes nothing", async () => {
  using scene = new Scene();
  const path = scene.folder.join("store");
  await makeFileStore(path, DEFAULT_SETTINGS);
  await using snapshots = await open(await openFileStore(path));
  const record = await scene.record(snapshots);
  const packs = readdirSync(join(path, "packs"), {
    recursive: true,
  }) as string[];
  // The pack of content says so near its end.
  for (const name of packs.map((one) => join(path, "packs", one))) {
    const isData = !name.endsWith("packs") &&
      spawnSync("test", ["-f", name]).status === 0 &&
      readFileSync(name).at(-16) === 1;
    if (isData) rmSync(name);
  }
  await rejects(
    swap(snapshots, record, scene.target),
    (error: { errors: unknown[]; message: string }) => {
      match(error.message, /not all of the snapshot/);
      return error.errors.length > 0;
    },
  );
  deepEqual([scene.state, scene.beside], [OLD, ["target"]]);
});

Deno.test({
  name: "swap: a full disk changes nothing",
  ignore: !canMount(),
  async fn() {
    await using snapshots = await makeMemorySnapshots();
    using scene = new Scene();
    writeFileSync(
      scene.folder.join("source/large"),
      new Uint8Array(8 << 20).fill(7),
    );
    const record = await scene.record(snapshots);
    rmSync(scene.target, { recursive: true });
    const place = scene.folder.join("place");
    mountTmpfs(place, "1m");
    try {
      scene.makeOld();
      await rejects(swap(snapshots, record, scene.target), /No space|no space/);
      deepEqual([scene.state, scene.beside], [OLD, ["target"]]);
    } finally {
      unmount(place);
    }
  },
});

Deno.test("swap: what a killed run has left is removed, that of a running one is not", async () => {
  await withScene(async (scene, snapshots, record) => {
    const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    const left = join(scene.target, `../.target.snap-swap-${child.pid}`);
    mkdirSync(join(left, "half"), { recursive: true });
    await rejects(
      swap(snapshots, record, scene.target),
      new RegExp(`process ${child.pid} is doing that`),
    );
    child.kill("SIGKILL");
    await child.status;
    equal(scene.state, OLD);
    await swap(snapshots, record, scene.target);
    deepEqual([scene.state, scene.beside], [NEW, ["target"]]);
  });
});

Deno.test("swap: killed at any step, the target is the old or the new one, and the next run goes through", async (t) => {
  using scene = new Scene();
  const store = scene.folder.join("store");
  await makeFileStore(store, DEFAULT_SETTINGS);
  {
    await using snapshots = await open(await openFileStore(store));
    await scene.record(snapshots);
  }
  const words = (...before: string[]) => [
    ...before,
    ...[Deno.execPath(), "run", "-A", MAIN, "restore", "--store", store],
    ...["latest", "--any", "--swap", scene.target],
  ];
  const steps: [call: string, when: number, state: string][] = [
    // The second one is below the new directory.
    ["mkdirat", 2, OLD],
    ["syncfs", 1, OLD],
    ["renameat2", 1, OLD],
    ["unlinkat", 1, NEW],
  ];
  for (const [call, when, state] of steps) {
    await t.step(call, () => {
      rmSync(scene.target, { recursive: true, force: true });
      scene.makeOld();
      const inject = `inject=${call}:signal=SIGKILL:when=${when}`;
      const [strace, ...args] = words(
        ...["strace", "-f", "-o", "/dev/null"],
        ...["-e", `trace=${call}`, "-e", inject],
      );
      const killed = spawnSync(strace, args, { encoding: "utf8" });
      ok(killed.signal === "SIGKILL" || killed.status === 137, killed.stderr);
      equal(scene.state, state);
      equal(scene.beside.length, 2);
      const [program, ...rest] = words();
      execFileSync(program, rest, { stdio: "ignore" });
      deepEqual([scene.state, scene.beside], [NEW, ["target"]]);
    });
  }
});
