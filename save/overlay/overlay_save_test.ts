import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { IgnoreRules } from "@snap/disk/ignore";
import { verify } from "@snap/snapshot/verify";
import { posix } from "@snap/posix";
import { AT_FDCWD, S_IFCHR } from "@snap/posix/constants";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { Prng } from "../../tests/_prng.ts";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { save, type SaveResult } from "../save.ts";

const EVERYTHING = new IgnoreRules({ fileName: "" });
const encoder = new TextEncoder();

/** A lower and an upper directory, what both show, and a store. */
class Scene implements Disposable {
  readonly path = mkdtempSync("/tmp/snap-overlay-");
  readonly lower = join(this.path, "lower");
  readonly upper = join(this.path, "upper");
  readonly merged = join(this.path, "merged");
  readonly snapshots: Snapshots<WriteStore>;

  constructor(snapshots: Snapshots<WriteStore>) {
    this.snapshots = snapshots;
    for (const path of [this.lower, this.upper]) mkdirSync(path);
  }

  /** Saves the lower directory. */
  async saveLower(): Promise<NamedRecord> {
    return (await save(this.snapshots, this.lower, { ignore: EVERYTHING }))
      .record!;
  }

  saveUpper(lower: NamedRecord): Promise<SaveResult> {
    const overlay = { lower, mountpoint: this.merged };
    return save(this.snapshots, this.upper, { overlay, ignore: EVERYTHING });
  }

  /** Saves what both show, as a directory of its own. */
  saveMerged(): Promise<SaveResult> {
    const options = { host: "other", ignore: EVERYTHING };
    return save(this.snapshots, this.merged, options);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await using snapshots = await makeMemorySnapshots();
  using scene = new Scene(snapshots);
  await run(scene);
}

function setAttribute(path: string, name: string, value: string): void {
  const [at, key] = [path, name].map((text) => encoder.encode(`${text}\0`));
  equal(posix!.lsetxattr(at, key, encoder.encode(value)), 0, path);
}

function makeWhiteout(path: string): void {
  const name = encoder.encode(`${path}\0`);
  equal(posix!.mknodAt(AT_FDCWD, name, S_IFCHR | 0o600, 0, 0), 0, path);
}

/** Changes a directory at random: files, links, modes, directories that go and come. */
function change(path: string, prng: Prng, depth = 0): void {
  for (const name of ["a", "b", "c", "d", "e"]) {
    const at = join(path, name);
    const kind = kindOf(at);
    switch (prng.below(kind === undefined ? 5 : 7)) {
      case 0:
        rmSync(at, { recursive: true, force: true });
        break;
      case 1:
        rmSync(at, { recursive: true, force: true });
        writeFileSync(at, `content ${prng.below(5)}`);
        if (prng.below(3) === 0) setAttribute(at, "user.x", "1");
        if (prng.below(3) === 0) {
          linkSync(
            at,
            `${at}-link`.replace(/(-link)+$/, `-${prng.below(1 << 20)}`),
          );
        }
        break;
      case 2:
        rmSync(at, { recursive: true, force: true });
        symlinkSync(`to ${prng.below(3)}`, at);
        break;
      case 3:
        if (kind === "file") chmodSync(at, prng.below(2) === 0 ? 0o755 : 0o644);
        break;
      case 4:
        if (depth > 3) break;
        rmSync(at, { recursive: true, force: true });
        mkdirSync(at);
        change(at, prng, depth + 1);
        break;
      default:
        if (kind === "directory") change(at, prng, depth + 1);
    }
  }
}

function kindOf(path: string): "file" | "directory" | "link" | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isDirectory() ? "directory" : stat.isFile() ? "file" : "link";
}

/** Copies what is at a path, with all that it has. */
function copy(from: string, to: string): void {
  execFileSync("cp", ["-a", "-T", from, to]);
}

/** Whether files are the same to the id of a snapshot and to its totals. */
function isSameFile(a: string, b: string): boolean {
  if (kindOf(a) !== "file" || kindOf(b) !== "file") return false;
  const [one, other] = [lstatSync(a), lstatSync(b)];
  return one.nlink === 1 && other.nlink === 1 && one.mode === other.mode &&
    one.mtimeMs === other.mtimeMs && readFileSync(a).equals(readFileSync(b));
}

/** Makes the upper directory that shows `merged` over `lower`. */
function makeUpper(scene: Scene, prng: Prng, path = ""): void {
  const [lower, merged, upper] = [scene.lower, scene.merged, scene.upper]
    .map((root) => join(root, path));
  const before = kindOf(lower) === "directory" ? readdirSync(lower) : [];
  const isOpaque = before.length > 0 && prng.below(4) === 0;
  if (isOpaque) setAttribute(upper, "user.overlay.opaque", "y");
  for (const name of before) {
    const at = join(upper, name);
    if (!isOpaque && kindOf(join(merged, name)) === undefined) makeWhiteout(at);
  }
  for (const name of readdirSync(merged)) {
    const [from, under, to] = [merged, lower, upper].map((at) =>
      join(at, name)
    );
    if (kindOf(from) !== "directory") {
      if (!isOpaque && isSameFile(from, under)) continue;
      copy(from, to);
      continue;
    }
    const isReplaced = isOpaque || kindOf(under) !== "directory";
    if (isReplaced) copy(from, to);
    else {
      mkdirSync(to);
      makeUpper(scene, prng, join(path, name));
    }
  }
}

Deno.test("what is saved of an upper directory has the id and the totals of what is seen", async () => {
  const seeds = Number(Deno.env.get("SNAP_OVERLAY_SEEDS") ?? 12);
  for (let seed = 1; seed <= seeds; seed++) {
    await withScene(async (scene) => {
      const prng = new Prng(seed);
      change(scene.lower, prng);
      copy(scene.lower, scene.merged);
      change(scene.merged, prng);
      makeUpper(scene, prng);
      const lower = await scene.saveLower();
      const saved = await scene.saveUpper(lower);
      const wanted = await scene.saveMerged();
      equal(saved.id, wanted.id, `seed ${seed}`);
      // Each name of a link is copied up alone.
      const { hardLinkCount: _, ...totals } = saved.totals;
      const { hardLinkCount: _links, ...expected } = wanted.totals;
      deepEqual(totals, expected, `seed ${seed}`);
      const { damages } = await verify(scene.snapshots, { data: true });
      deepEqual(damages, [], `seed ${seed}`);
    });
  }
});

Deno.test("of the snapshot below no content is read, nor a directory that nothing was written to", async () => {
  await withScene(async (scene) => {
    const prng = new Prng(1);
    for (const name of ["a", "b"]) {
      mkdirSync(join(scene.lower, name));
      const noise = prng.bytes(1 << 20);
      writeFileSync(join(scene.lower, name, "noise"), noise);
    }
    for (let i = 0; i < 3000; i++) {
      writeFileSync(join(scene.lower, "b", `file ${i}`), "");
    }
    const lower = await scene.saveLower();
    rmSync(scene.lower, { recursive: true });
    mkdirSync(join(scene.upper, "a"));
    writeFileSync(join(scene.upper, "a", "new"), "new");
    const { store } = scene.snapshots;
    const read = store.read.bind(store);
    let byteCount = 0;
    store.read = async (name, options) => {
      const bytes = await read(name, options);
      if (name.startsWith("packs/")) byteCount += bytes.length;
      return bytes;
    };
    const saved = await scene.saveUpper(lower);
    store.read = read;
    ok(byteCount < 32 << 10, `${byteCount} bytes were read`);
    ok(saved.storedByteCount < 16 << 10, `${saved.storedByteCount} stored`);
    equal(saved.totals.fileCount, lower.totals.fileCount + 1);
    equal(saved.record!.source, scene.merged);
  });
});

Deno.test("whiteouts by attribute count where their directory says so, and attributes of the overlay are not saved", async () => {
  await withScene(async (scene) => {
    for (const name of ["gone", "stays", "kept"]) {
      writeFileSync(join(scene.lower, name), name);
    }
    mkdirSync(join(scene.lower, "plain"));
    writeFileSync(join(scene.lower, "plain/empty"), "full");
    copy(scene.lower, scene.merged);
    rmSync(join(scene.merged, "gone"));
    writeFileSync(join(scene.merged, "plain/empty"), "");
    setAttribute(join(scene.merged, "kept"), "user.overlay.mine", "1");

    setAttribute(scene.upper, "user.overlay.opaque", "x");
    writeFileSync(join(scene.upper, "gone"), "");
    setAttribute(join(scene.upper, "gone"), "user.overlay.whiteout", "y");
    copy(join(scene.lower, "kept"), join(scene.upper, "kept"));
    setAttribute(join(scene.upper, "kept"), "user.overlay.overlay.mine", "1");
    setAttribute(join(scene.upper, "kept"), "user.overlay.origin", "0");
    mkdirSync(join(scene.upper, "plain"));
    writeFileSync(join(scene.upper, "plain/empty"), "");
    const empty = join(scene.upper, "plain/empty");
    setAttribute(empty, "user.overlay.whiteout", "y");
    const saved = await scene.saveUpper(await scene.saveLower());
    const wanted = await scene.saveMerged();
    equal(saved.id, wanted.id);
    deepEqual(saved.totals, wanted.totals);
  });
});

Deno.test("devices, fifos and sockets that somebody put into the upper directory are what they are", async () => {
  await withScene(async (scene) => {
    writeFileSync(join(scene.lower, "a"), "a");
    copy(scene.lower, scene.merged);
    const server = createServer();
    for (const root of [scene.upper, scene.merged]) {
      execFileSync("mkfifo", [join(root, "fifo")]);
    }
    await new Promise<void>((resolve) =>
      server.listen(join(scene.upper, "socket"), resolve)
    );
    makeWhiteout(join(scene.upper, "of nothing"));
    const saved = await scene.saveUpper(await scene.saveLower());
    await new Promise((resolve) => server.close(resolve));
    equal(saved.id, (await scene.saveMerged()).id);
    equal(saved.socketCount, 1);
  });
});

Deno.test("what stands for content elsewhere is refused by its path, and nothing is written", async () => {
  for (const name of ["metacopy", "redirect"]) {
    await withScene(async (scene) => {
      mkdirSync(join(scene.lower, "d"));
      const lower = await scene.saveLower();
      mkdirSync(join(scene.upper, "d"));
      writeFileSync(join(scene.upper, "d/f"), "");
      const path = join(scene.upper, name === "metacopy" ? "d/f" : "d");
      setAttribute(path, `user.overlay.${name}`, "x");
      await rejects(scene.saveUpper(lower), {
        name: "OverlayError",
        message: new RegExp(`^Cannot save "?d.*written with ${name}`),
      });
      equal((await scene.snapshots.records()).length, 1);
    });
  }
});

Deno.test("a snapshot below that was forgotten is refused", async () => {
  await withScene(async (scene) => {
    const lower = await scene.saveLower();
    const { record } = lower;
    const other = { ...lower, record: `${"0".repeat(record.length)}` };
    await rejects(scene.saveUpper(other as NamedRecord), {
      name: "OverlayError",
      message: /the store has no such snapshot/,
    });
  });
});

Deno.test("nothing written is the snapshot below, but for the root's attributes", async () => {
  await withScene(async (scene) => {
    writeFileSync(join(scene.lower, "a"), "a");
    const lower = await scene.saveLower();
    const saved = await scene.saveUpper(lower);
    equal(saved.id, lower.tree);
    deepEqual(saved.totals, lower.totals);
  });
});
