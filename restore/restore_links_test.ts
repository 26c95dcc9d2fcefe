import { deepEqual, equal } from "node:assert/strict";
import { type DiskCalls, diskCalls } from "@snap/disk";
import { displayPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import { errnos } from "@snap/posix/constants";
import { hooked, textOf } from "../tests/_test_calls.ts";
import { contentId } from "../tests/_test_bytes.ts";
import {
  describeTree,
  isRoot,
  noise,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import { restore, type RestoreOptions, type RestoreResult } from "./restore.ts";

const real = diskCalls();
const GOOD = noise(5000, 1);

/** A saved tree, and a target. */
class Scene extends TestFolder {
  #saved: Awaited<ReturnType<typeof saveTree>> | undefined;

  async save(): Promise<void> {
    this.#saved = await saveTree(this.at("source"), this.at("store"), {
      codec: "none",
    });
  }

  async restore(options: RestoreOptions = {}): Promise<RestoreResult> {
    const { snapshots, record } = this.#saved!;
    return await restore(snapshots, record, this.at("out"), {
      existing: true,
      ...options,
    });
  }

  /** Flips a byte of a content. */
  async damage(content: Uint8Array): Promise<void> {
    const index = await this.#saved!.snapshots.index();
    const place = await index.locate(contentId(content), ObjectKind.content);
    const path = this.at(`store/${place!.packName}`);
    Deno.chmodSync(path, 0o600);
    const bytes = Deno.readFileSync(path);
    bytes[place!.frameOffset + place!.offset + 9] ^= 1;
    Deno.writeFileSync(path, bytes);
  }

  text(path: string): string {
    return Deno.readTextFileSync(this.at(`out/${path}`));
  }

  inode(path: string): number {
    return Deno.lstatSync(this.at(`out/${path}`)).ino!;
  }

  names(path = ""): string[] {
    return [...Deno.readDirSync(this.at(`out/${path}`))].map(({ name }) => name)
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saved?.snapshots[Symbol.asyncDispose]();
    this[Symbol.dispose]();
  }
}

/** One file with some names, and others in the target. */
async function linked(names: string[], source = GOOD): Promise<Scene> {
  const scene = new Scene();
  const first = scene.file(`source/${names[0]}`, source);
  for (const name of names.slice(1)) {
    const path = scene.at(`source/${name}`);
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.linkSync(first, path);
  }
  await scene.save();
  return scene;
}

function messagesOf({ errors }: RestoreResult): string[] {
  return errors.map(({ action, path, code }) =>
    `${action} ${displayPath(path)} ${code}`
  );
}

for (const workers of [0, 1]) {
  Deno.test(`a link is not made to a file that did not arrive, with ${workers} workers`, async () => {
    await using scene = await linked(["a", "b"]);
    await scene.damage(GOOD);
    scene.file("out/a", "old");
    scene.file("out/b", GOOD);
    const { errors } = await scene.restore({ workers });
    deepEqual(errors.map(({ path }) => displayPath(path)), ["a"]);
    equal(scene.text("a"), "old");
    deepEqual(Deno.readFileSync(scene.at("out/b")), GOOD);
  });
}

Deno.test("all names of a file that cannot be had are told, and none is made", async () => {
  await using scene = await linked(["a", "b", "d/c"]);
  await scene.damage(GOOD);
  scene.file("out/b", "old");
  const result = await scene.restore();
  deepEqual(messagesOf(result), [
    "restore a EDAMAGED",
    "restore b EDAMAGED",
    "restore d/c EDAMAGED",
  ]);
  deepEqual(scene.names(), ["b", "d"]);
  deepEqual(scene.names("d"), []);
  equal(scene.text("b"), "old");
});

Deno.test("where the first name cannot be replaced the others are one file of their own", async () => {
  await using scene = await linked(["a", "b", "d/c", "e"]);
  for (const name of ["a", "b", "e"]) scene.file(`out/${name}`, "old");
  const calls = hooked({
    renameAt: (from, old, to, name) =>
      textOf(name) === "a" ? -errnos.EPERM : real.renameAt(from, old, to, name),
  });
  const result = await scene.restore({ calls });
  deepEqual(messagesOf(result), ["name a EPERM"]);
  equal(scene.text("a"), "old");
  deepEqual(Deno.readFileSync(scene.at("out/b")), GOOD);
  equal(scene.inode("b"), scene.inode("d/c"));
  equal(scene.inode("b"), scene.inode("e"));
  deepEqual(scene.names(), ["a", "b", "d", "e"]);
});

Deno.test({
  name: "an entry that nobody may change costs none of its other names",
  ignore: !isRoot,
  async fn(test) {
    await using scene = await linked(["a", "b"]);
    scene.file("out/a", "old");
    scene.file("out/b", GOOD);
    const chattr = (flag: string): boolean =>
      new Deno.Command("chattr", {
        args: [flag, scene.at("out/a")],
        stderr: "null",
      }).outputSync().success;
    const isKept = chattr("+i");
    await test.step({
      name: isKept ? "with chattr +i" : "skipped: chattr +i does nothing here",
      ignore: !isKept,
      async fn() {
        const { errors } = await scene.restore();
        deepEqual(errors.map(({ path }) => displayPath(path)), ["a"]);
        equal(scene.text("a"), "old");
        deepEqual(Deno.readFileSync(scene.at("out/b")), GOOD);
      },
    });
    if (isKept) chattr("-i");
  },
});

Deno.test("names that are links of a link stay when its first does not arrive", async () => {
  await using scene = new Scene();
  scene.file("source/x", "x");
  Deno.symlinkSync("x", scene.at("source/a"));
  Deno.linkSync(scene.at("source/a"), scene.at("source/b"));
  Deno.linkSync(scene.at("source/a"), scene.at("source/c"));
  await scene.save();
  scene.file("out/a", "old");
  scene.file("out/b", "old");
  const calls = hooked({
    renameAt: (from, old, to, name) =>
      textOf(name) === "a" ? -errnos.EPERM : real.renameAt(from, old, to, name),
  });
  deepEqual(messagesOf(await scene.restore({ calls })), ["replace a EPERM"]);
  equal(scene.text("a"), "old");
  equal(Deno.readLinkSync(scene.at("out/b")), "x");
  equal(scene.inode("b"), scene.inode("c"));
});

Deno.test("a link that is one too many begins a new file, and that is told once", async () => {
  await using scene = await linked(["a", "b", "c", "d", "e"]);
  scene.file("out/c", "old");
  let count = 0;
  const calls = hooked({
    linkAt: (...args) => ++count === 2 ? -errnos.EMLINK : real.linkAt(...args),
  });
  const result = await scene.restore({ calls });
  deepEqual(messagesOf(result), ["link instead of copying c EMLINK"]);
  equal(
    result.errors[0].message,
    "Cannot link instead of copying c: it has as many names as are possible here (EMLINK)",
  );
  for (const name of ["a", "b", "c", "d", "e"]) {
    deepEqual(Deno.readFileSync(scene.at(`out/${name}`)), GOOD);
  }
  const counts = scene.names().map((name) =>
    Deno.statSync(scene.at(`out/${name}`)).nlink
  );
  // The names after it are links to the new one.
  deepEqual(counts, [2, 2, 3, 3, 3]);
  deepEqual(scene.names(), ["a", "b", "c", "d", "e"]);
});

Deno.test("where there are no hard links copies are made, and that is told once", async () => {
  await using scene = await linked(["a", "b", "c"]);
  Deno.chmodSync(scene.at("source/a"), 0o600);
  await scene.save();
  for (const code of ["EPERM", "ENOTSUP", "EXDEV"]) {
    const calls = hooked({ linkAt: () => -errnos[code] });
    const result = await scene.restore({ calls });
    deepEqual(messagesOf(result), [`link instead of copying b ${code}`]);
    equal(result.fileCount, 3);
    equal(result.byteCount, 3 * GOOD.length);
    for (const name of ["a", "b", "c"]) {
      const { mode, nlink } = Deno.statSync(scene.at(`out/${name}`));
      deepEqual([mode! & 0o777, nlink], [0o600, 1]);
    }
    // A restore where they can be made makes links of the copies.
    deepEqual(messagesOf(await scene.restore()), []);
    deepEqual(describeTree(scene.at("out")), describeTree(scene.at("source")));
    Deno.removeSync(scene.at("out"), { recursive: true });
  }
});

Deno.test({
  name: "nothing is removed before what replaces it is complete",
  ignore: !isRoot,
  async fn() {
    await using scene = new Scene();
    scene.file("source/first", "1");
    Deno.linkSync(scene.at("source/first"), scene.at("source/hard"));
    Deno.symlinkSync("first", scene.at("source/soft"));
    Deno.mkdirSync(scene.at("source/tree"));
    const nul = scene.at("source/null");
    const fifo = scene.at("source/pipe");
    for (const args of [[nul, "c", "1", "3"], [fifo, "p"]]) {
      new Deno.Command("mknod", { args }).outputSync();
    }
    await scene.save();
    const replaced = ["hard", "null", "pipe", "soft", "tree"];
    const code = -errnos.EIO;
    const failures: Partial<DiskCalls>[] = [
      {
        linkAt: () => code,
        symlinkAt: () => code,
        mknodAt: () => code,
        mkdirAt: () => code,
      },
      { renameAt: () => code },
    ];
    for (const failure of failures) {
      for (const name of replaced) scene.file(`out/${name}`, "old");
      scene.file("out/first", "1");
      const { errors } = await scene.restore({ calls: hooked(failure) });
      const told = new Set(errors.map(({ path }) => displayPath(path)));
      // A file gives way to a directory only when that is there to be renamed.
      const isRenamed = failure.renameAt !== undefined;
      for (const name of replaced) {
        equal(told.has(name), true, name);
        if (name !== "tree" || !isRenamed) equal(scene.text(name), "old", name);
      }
    }
    deepEqual(messagesOf(await scene.restore()), []);
    deepEqual(describeTree(scene.at("out")), describeTree(scene.at("source")));
  },
});

for (const workers of [0, 1]) {
  Deno.test(`a directory stays where the file that replaces it is damaged, with ${workers} workers`, async () => {
    await using scene = new Scene();
    scene.file("source/large", noise(400_000, 3));
    scene.file("source/other", noise(9_000_000, 4));
    scene.file("source/small", GOOD);
    await scene.save();
    await scene.damage(GOOD);
    scene.file("out/small/precious", "precious");
    scene.file("out/large/extra", "extra");
    const { errors } = await scene.restore({ workers, delete: true });
    deepEqual(errors.map(({ path }) => displayPath(path)), ["small"]);
    equal(scene.text("small/precious"), "precious");
    deepEqual(scene.names(), ["large", "other", "small"]);
    equal(Deno.statSync(scene.at("out/large")).size, 400_000);
  });
}

Deno.test("what stands in the place of a link that is there already is left alone", async () => {
  await using scene = await linked(["a", "b"]);
  await scene.restore();
  const before = scene.inode("b");
  const calls = hooked({
    linkAt: () => -errnos.EIO,
    unlinkAt: () => -errnos.EIO,
  });
  deepEqual(messagesOf(await scene.restore({ calls })), []);
  equal(scene.inode("b"), before);
});
