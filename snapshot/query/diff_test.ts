import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { displayPath } from "@snap/manifest/path";
import { ObjectNotFoundError } from "@snap/pack";
import { latin } from "../../tests/_test_bytes.ts";
import {
  type TestDirectory,
  TestSnapshots,
} from "../../tests/_test_snapshots.ts";
import { diffSnapshots, snapshotSide } from "./diff.ts";
import type { ObjectSource } from "../view/manifest_source.ts";
import { manifestText } from "./manifest_text.ts";
import { View } from "../view/view.ts";

const BEFORE: TestDirectory = {
  a: { file: "a" },
  b: { directory: { x: { file: "x" }, y: { file: "y", mode: 0o600 } } },
  c: { file: "c" },
  same: { directory: { deep: { directory: { f: { file: "f" } } } } },
};
const AFTER: TestDirectory = {
  a: { file: "A" },
  b: { directory: { x: { file: "x" }, y: { file: "y", mode: 0o644 } } },
  c: { directory: { n: { file: "n" } } },
  same: { directory: { deep: { directory: { f: { file: "f" } } } } },
};

/** Counts what is read. */
class CountingSource implements ObjectSource {
  count = 0;
  readonly #objects: ObjectSource;

  constructor(objects: ObjectSource) {
    this.#objects = objects;
  }

  readObject(id: Uint8Array, kind: number): Promise<Uint8Array> {
    this.count++;
    return this.#objects.readObject(id, kind);
  }
}

async function changes(
  found: ReturnType<typeof diffSnapshots>,
): Promise<string[]> {
  return await Array.fromAsync(
    found,
    ({ kind, path }) => `${kind} ${displayPath(path)}`,
  );
}

Deno.test("diffSnapshots compares two snapshots, and reads only what differs", async () => {
  const test = new TestSnapshots();
  const before = await test.save(BEFORE);
  const after = await test.save(AFTER);
  const objects = new CountingSource(await (await test.open()).reader());
  const diff = (attributes: boolean) =>
    changes(
      diffSnapshots(
        snapshotSide(objects, before, { attributes }),
        snapshotSide(objects, after, { attributes }),
      ),
    );
  deepStrictEqual(await diff(true), [
    "modified a",
    "attributes b/y",
    "type c",
    "added c/n",
  ]);
  strictEqual(objects.count, 10);
  objects.count = 0;
  deepStrictEqual(await diff(false), ["modified a", "type c", "added c/n"]);
  strictEqual(objects.count, 3);
});

Deno.test("diffSnapshots takes entries of a view, and nothing", async () => {
  const test = new TestSnapshots();
  const record = await test.save(BEFORE);
  const snapshots = await test.open();
  const objects = await snapshots.reader();
  const view = await View.open(snapshots, record);
  const b = (await view.lookup(latin("b")))!;
  const side = snapshotSide(objects, { tree: b.id, page: b.pageId! });
  deepStrictEqual(await changes(diffSnapshots(side, undefined)), [
    "removed x",
    "removed y",
  ]);
  deepStrictEqual(await changes(diffSnapshots(side, side)), []);
  const lost = snapshotSide(objects, { tree: new Uint8Array(32) });
  await rejects(changes(diffSnapshots(side, lost)), ObjectNotFoundError);
  const signal = AbortSignal.abort(new Error("enough"));
  const ended = diffSnapshots(undefined, side, { signal });
  await rejects(changes(ended), /enough/);
});

Deno.test("manifestText writes a line for each entry", async () => {
  const test = new TestSnapshots();
  const record = await test.save({
    d: { directory: { f: { file: "hello", mode: 0o640, mtimeSec: 0 } } },
    l: { link: "d/f" },
  });
  const objects = new CountingSource(await (await test.open()).reader());
  const lines: string[] = [];
  for await (const batch of manifestText(objects, record, { idDigits: 8 })) {
    lines.push(...batch);
  }
  deepStrictEqual(lines, ["d - - d", "- ea8f163d 5 d/f", "l d/f - l"]);
  strictEqual(objects.count, 2);
  const options = { attributes: true, idDigits: 8 };
  for await (const batch of manifestText(objects, record, options)) {
    strictEqual(
      batch[1],
      "- ea8f163d 5 rw-r----- ann users 1970-01-01T00:00:00.000000005Z d/f",
    );
  }
});
