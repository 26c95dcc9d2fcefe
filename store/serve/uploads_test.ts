import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { Uploads } from "./uploads.ts";

const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i * 7);
const id = createHash("sha256").update(bytes).digest("hex");
const { signal } = new AbortController();
const whole = { name: "packs/ab/one", size: bytes.length, signal };

async function withStore(
  test: (store: Awaited<ReturnType<typeof openFileStore>>) => Promise<void>,
): Promise<void> {
  const folder = makeFastFolder();
  try {
    await test(await openFileStore(`${folder}/store`, { create: true }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Deno.test("Uploads go on where another process stopped", async () => {
  await withStore(async (store) => {
    const before = new Uploads(store);
    deepStrictEqual(await before.add(id, 0, bytes.subarray(0, 1000)), {
      offset: 1000,
      added: true,
    });
    const after = new Uploads(store);
    deepStrictEqual(await after.add(id, 0, bytes.subarray(0, 1000)), {
      offset: 1000,
      added: false,
    });
    deepStrictEqual(await after.join(id, whole), { offset: 1000 });
    await after.add(id, 1000, bytes.subarray(1000));
    deepStrictEqual(await after.join(id, whole), { created: true });
    deepStrictEqual(
      new Uint8Array(readFileSync(store.localPath(whole.name))),
      bytes,
    );
    // The answer was lost, and the same is asked again.
    deepStrictEqual(await after.join(id, whole), { created: false });
    deepStrictEqual(readdirSync(`${store.path}/tmp`), ["reserve"]);
  });
});

Deno.test("Uploads are used when they are whole, and stay until that has gone well", async () => {
  await withStore(async (store) => {
    const uploads = new Uploads(store);
    const use = { size: bytes.length, signal };
    const length = (all: Uint8Array) => Promise.resolve(all.length);
    deepStrictEqual(await uploads.use(id, use, length), { offset: 0 });
    await uploads.add(id, 0, bytes.subarray(0, 1000));
    deepStrictEqual(await uploads.use(id, use, length), { offset: 1000 });
    await uploads.add(id, 1000, bytes.subarray(1000));
    await rejects(uploads.use(id, use, () => Promise.reject(new Error("no"))));
    deepStrictEqual(await uploads.use(id, use, length), { outcome: 3000 });
    deepStrictEqual(await uploads.use(id, use, length), { offset: 0 });
    await uploads.add(id, 0, bytes.map((byte) => byte ^ 1));
    deepStrictEqual(await uploads.use(id, use, length), { offset: 0 });
    deepStrictEqual(readdirSync(`${store.path}/tmp`), ["reserve"]);
  });
});

Deno.test("Uploads that are not what they are called are begun anew", async () => {
  await withStore(async (store) => {
    const uploads = new Uploads(store);
    await uploads.add(id, 0, new Uint8Array(bytes.length));
    deepStrictEqual(await uploads.join(id, whole), { offset: 0 });
    strictEqual(await store.size(whole.name), undefined);
    deepStrictEqual(readdirSync(`${store.path}/tmp`), ["reserve"]);
  });
});

Deno.test("Uploads of the same file by two do not mix", async () => {
  await withStore(async (store) => {
    const uploads = new Uploads(store);
    const parts = await Promise.all([
      uploads.add(id, 0, bytes),
      uploads.add(id, 0, bytes),
    ]);
    deepStrictEqual(parts.map(({ offset }) => offset), [3000, 3000]);
    const joins = await Promise.all([
      uploads.join(id, whole),
      uploads.join(id, whole),
    ]);
    deepStrictEqual(joins, [{ created: true }, { created: false }]);
  });
});

Deno.test("Uploads follow no link, and old ones go", async () => {
  await withStore(async (store) => {
    const tmp = `${store.path}/tmp`;
    writeFileSync(`${tmp}/${"b".repeat(32)}-x.upload`, "old");
    utimesSync(`${tmp}/${"b".repeat(32)}-x.upload`, 1000, 1000);
    const target = `${store.path}/target`;
    symlinkSync(target, `${tmp}/${id.slice(0, 32)}-${id.slice(32)}.upload`);
    const code = await new Uploads(store).add(id, 0, bytes)
      .then(() => "none", (error) => error.code);
    strictEqual(code, "ELOOP");
    strictEqual(readdirSync(tmp).includes(`${"b".repeat(32)}-x.upload`), false);
  });
});

Deno.test("Uploads to a store without a folder leave none behind", async () => {
  const store = new MemoryStore();
  const uploads = new Uploads(store);
  await uploads.add(id, 0, bytes.subarray(0, 1000));
  await uploads.add(id, 1000, bytes.subarray(1000));
  deepStrictEqual(await uploads.join(id, whole), { created: true });
  deepStrictEqual(await store.read(whole.name), bytes);
  const other = id.replace(/^./, "0");
  await uploads.add(other, 0, bytes);
  const folders = () =>
    readdirSync(tmpdir()).filter((name) => name.startsWith("snap-uploads-"))
      .filter((name) =>
        existsSync(
          `${tmpdir()}/${name}/${other.slice(0, 32)}-${other.slice(32)}.upload`,
        )
      );
  strictEqual(folders().length, 1);
  await uploads.close();
  strictEqual(folders().length, 0);
});
