// A store that goes bad below a mount: what is damaged cannot be read, the log
// says what it is, and everything else goes on.
import { match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import { MountScene, mountTest, waitFor } from "./_mount.ts";
import { noise } from "./_snapshots.ts";

/** Content lies in the packs as it is, so that a test finds it. */
const PLAIN = { ...DEFAULT_SETTINGS, codec: "none" };

/** A file of one frame, and one of several. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  "small": noise(20_000, 1),
  "deep/large": noise(3_000_000, 2),
};

interface Place {
  /** The path of the pack. */
  readonly pack: string;
  readonly offset: number;
}

/** Finds bytes in the packs of a store. */
function find(store: string, bytes: Uint8Array): Place {
  for (const name of walk(`${store}/packs`)) {
    const offset = Buffer.from(Deno.readFileSync(name)).indexOf(bytes);
    if (offset >= 0) return { pack: name, offset };
  }
  throw new Error("Cannot find content in the packs");
}

function* walk(path: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) yield* walk(`${path}/${name}`);
    else yield `${path}/${name}`;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Saves the files in packs of their own, and a file that stays sound in another. */
async function prepare(scene: MountScene): Promise<string> {
  await scene.init(PLAIN);
  Deno.mkdirSync(`${scene.source}/deep`);
  for (const [name, bytes] of Object.entries(FILES)) {
    Deno.writeFileSync(`${scene.source}/${name}`, bytes);
    await scene.save();
  }
  Deno.writeFileSync(`${scene.source}/sound`, noise(500_000, 3));
  return (await scene.save()).tree;
}

/** The file cannot be read, and programs say why. */
async function refuses(scene: MountScene, name: string): Promise<void> {
  const { code, stderr } = await scene.run(`cat "$MOUNT/${name}" >/dev/null`);
  ok(code !== 0, `${name} was read`);
  match(stderr, /Input\/output error/);
}

async function reads(scene: MountScene, name: string): Promise<void> {
  await scene.bash(`cmp "$SOURCE/${name}" "$MOUNT/${name}"`);
}

for (const [name, bytes] of Object.entries(FILES)) {
  mountTest(
    `${name} that is damaged below a mount is not handed on`,
    async () => {
      await using scene = new MountScene();
      const id = await prepare(scene);
      const server = await scene.mount(id);
      await reads(scene, "sound");
      const middle = bytes.length >>> 1;
      const part = bytes.subarray(middle, middle + 32);
      const { pack, offset } = find(scene.store, part);
      Deno.chmodSync(pack, 0o600);
      using file = Deno.openSync(pack, { write: true });
      file.seekSync(offset, Deno.SeekMode.Start);
      file.writeSync(Uint8Array.of(part[0] ^ 1));
      await refuses(scene, name);
      await refuses(scene, name);
      await reads(scene, "sound");
      for (const other of Object.keys(FILES)) {
        if (other !== name) await reads(scene, other);
      }
      await scene.bash(`ls -lR "$MOUNT" >/dev/null`);
      const { code, stderr } = await server.end();
      ok(code === 0, stderr);
      const line = stderr.split("\n").find((one) => one.includes(nameOf(name)));
      ok(line !== undefined, stderr);
      ok(line.includes(nameOf(pack)), `no pack in: ${line}`);
      match(line, /[0-9a-f]{64}.*[0-9a-f]{64}/, "no object beside the pack");
    },
  );
}

mountTest(
  "start of a damaged large file is read, what is damaged is not",
  async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    const bytes = FILES["deep/large"];
    const at = 2_900_000;
    const { pack, offset } = find(scene.store, bytes.subarray(at, at + 32));
    using file = Deno.openSync(pack, { write: true });
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(Uint8Array.of(bytes[at] ^ 0x80));
    await scene.mount(id);
    await scene.bash(
      `dd if="$MOUNT/deep/large" bs=64K count=16 status=none |
      cmp - <(dd if="$SOURCE/deep/large" bs=64K count=16 status=none)`,
    );
    await refuses(scene, "deep/large");
  },
);

mountTest(
  "pack that is deleted below a mount takes its files only",
  async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    const server = await scene.mount(id);
    const { pack } = find(scene.store, FILES["small"].subarray(0, 32));
    Deno.removeSync(pack);
    await refuses(scene, "small");
    await reads(scene, "deep/large");
    await reads(scene, "sound");
    const { stderr } = await server.end();
    const line = stderr.split("\n").find((one) => one.includes("small"));
    ok(line?.includes(nameOf(pack)), stderr);
  },
);

mountTest(
  "store that is away for a while is read again when it is back",
  async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    await scene.mount(id);
    await scene.bash(`ls -lR "$MOUNT" >/dev/null; mv "$STORE" "$STORE.away"`);
    // A pack that is open may still be read, but nobody may wait, or get anything else.
    const { code, stdout, stderr } = await scene.run(
      `timeout 10 sha256sum "$MOUNT/small"`,
    );
    const hash = createHash("sha256").update(FILES["small"]).digest("hex");
    if (code === 0) ok(stdout.startsWith(hash));
    else match(stderr, /Input\/output error/);
    await scene.bash(`ls -lR "$MOUNT" >/dev/null; mv "$STORE.away" "$STORE"`);
    for (const name of [...Object.keys(FILES), "sound"]) {
      await reads(scene, name);
    }
  },
);

mountTest(
  "a table of the index that is damaged keeps nothing from a mount",
  async () => {
    await using scene = new MountScene();
    await scene.init(PLAIN);
    const before = new Set<string>();
    let table = "";
    for (
      const [name, bytes] of Object.entries({
        other: noise(20_000, 1),
        sound: noise(20_000, 2),
      })
    ) {
      Deno.writeFileSync(`${scene.source}/${name}`, bytes);
      await scene.save();
      const [made] = [...walk(`${scene.store}/index`)].filter((one) =>
        !before.has(one)
      );
      before.add(made);
      table ||= made;
    }
    const { tree } = await scene.save();
    const bytes = Deno.readFileSync(table);
    bytes[20] ^= 255;
    Deno.writeFileSync(table, bytes);
    const server = await scene.mount(tree);
    await scene.bash(`diff -r "$MOUNT" "${scene.source}"`);
    const { stderr } = await server.end();
    match(stderr, new RegExp(`Cannot use index/${nameOf(table)}`));
  },
);

for (const ruin of ["is gone", "is damaged"] as const) {
  mountTest(`a mount needs no index: one that ${ruin}`, async () => {
    await using scene = new MountScene();
    const id = await prepare(scene);
    for (const path of walk(`${scene.store}/index`)) {
      if (ruin === "is gone") Deno.removeSync(path);
      else {
        const bytes = Deno.readFileSync(path);
        bytes[8] ^= 1;
        Deno.chmodSync(path, 0o600);
        Deno.writeFileSync(path, bytes);
      }
    }
    await scene.mount(id);
    const { code, stderr } = await scene.run(
      `diff -r "$MOUNT" "${scene.source}"`,
    );
    ok(code === 0, stderr);
  });
}

mountTest(
  "a mount of all reads what is saved later and stands in no table",
  async () => {
    await using scene = new MountScene();
    await prepare(scene);
    await scene.mount("--all");
    const { tree } = await scene.save();
    await scene.bash(`diff -r "$MOUNT/ids/${tree}" "$SOURCE"`);
    const before = new Set(walk(`${scene.store}/index`));
    const bytes = noise(200_000, 9);
    Deno.writeFileSync(`${scene.source}/later`, bytes);
    const later = (await scene.save()).tree;
    for (const path of walk(`${scene.store}/index`)) {
      if (!before.has(path)) Deno.removeSync(path);
    }
    await waitFor(
      "a snapshot",
      () => existsSync(`${scene.point}/ids/${later}`),
    );
    await scene.bash(`diff -r "$MOUNT/ids/${later}" "$SOURCE"`);
  },
);
