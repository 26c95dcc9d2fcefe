import { deepStrictEqual, rejects } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { latin, noise } from "../../tests/_test_bytes.ts";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { find, type FindOptions } from "./find.ts";
import { View } from "../view/view.ts";

async function open(): Promise<View> {
  const test = new TestSnapshots();
  const record = await test.save({
    "a.ts": { file: "1", mtimeSec: 100 },
    "b.js": { file: noise(1, 100), mtimeSec: 200 },
    "big.ts": { chunks: [noise(1, 5000), 1_000_000], mtimeSec: 300 },
    src: {
      directory: {
        "c.ts": { file: "333", mtimeSec: 100 },
        deep: { directory: { "d.ts": { file: "4444" } } },
        "l.ts": { link: "c.ts" },
        "x\xff.ts": { file: "bad" },
      },
    },
  });
  return await View.open(await test.open(), record);
}

async function found(view: View, options: FindOptions): Promise<string[]> {
  return await Array.fromAsync(
    find(view, options),
    ({ path }) => displayPath(path),
  );
}

Deno.test("find meets all that is asked for", async () => {
  const view = await open();
  const { file, symlink, directory } = EntryKind;
  const cases: [FindOptions, string[]][] = [
    [{ name: "*.ts", path: "src/*" }, ["src/c.ts", "src/l.ts", "src/x%FF.ts"]],
    [{ name: "?.ts", kinds: [file] }, ["a.ts", "src/c.ts", "src/deep/d.ts"]],
    [{ path: "src/**/*.ts", kinds: [file], sizeMin: 4 }, ["src/deep/d.ts"]],
    [{ kinds: [symlink, directory] }, ["src", "src/deep", "src/l.ts"]],
    [{ sizeMin: 100 }, ["b.js", "big.ts"]],
    [{ sizeMin: 100, sizeMax: 100 }, ["b.js"]],
    [{ sizeMax: 1 }, ["a.ts"]],
    [{ mtimeMax: { sec: 100, ns: 5 } }, ["a.ts", "src/c.ts"]],
    [{ mtimeMax: { sec: 100, ns: 4 } }, []],
    [
      { mtimeMin: { sec: 200, ns: 5 }, mtimeMax: { sec: 299, ns: 0 } },
      ["b.js"],
    ],
    [{ name: "nothing" }, []],
  ];
  for (const [options, paths] of cases) {
    deepStrictEqual(await found(view, options), paths, JSON.stringify(options));
  }
});

Deno.test("find looks below a directory", async () => {
  const view = await open();
  const directory = await view.lookup(latin("src/deep"));
  deepStrictEqual(await found(view, { directory: directory! }), [
    "src/deep/d.ts",
  ]);
  const file = await view.lookup(latin("a.ts"));
  await rejects(found(view, { directory: file! }), TypeError);
  await rejects(found(view, { name: "[" }), SyntaxError);
});
