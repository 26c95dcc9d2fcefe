// What entries of an archive become.
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { restore } from "@snap/restore";
import { readSnapshot } from "../../tests/_snapshots.ts";
import { TestFolder } from "../../tests/_test_trees.ts";
import { END, entry, imported, joined } from "./_testing.ts";

const directory = (name: string) => entry(name, { type: "5" });
const link = (name: string, linkName: string) =>
  entry(name, { type: "2", linkName });

/** Paths that an archive becomes. */
async function pathsOf(...parts: Uint8Array[]): Promise<string[]> {
  const { snapshots, record } = await imported(joined(...parts, END));
  const listing = await readSnapshot(snapshots, record);
  await snapshots[Symbol.asyncDispose]();
  return [...listing.keys()].filter((path) => path !== "");
}

Deno.test("a name that comes again is what came last, whatever it was", async () => {
  const kinds: Readonly<Record<string, Uint8Array>> = {
    file: entry("a", {}, "1"),
    link: link("a", "b"),
    pipe: entry("a", { type: "6" }),
  };
  for (const [first, one] of Object.entries(kinds)) {
    for (const [second, other] of Object.entries(kinds)) {
      const paths = await pathsOf(one, other, entry("b"));
      deepStrictEqual(paths, ["a", "b"], `${first}, ${second}`);
    }
    const below = await pathsOf(one, directory("a"), entry("a/b"));
    deepStrictEqual(below, ["a", "a/b"], first);
    const gone = await pathsOf(directory("a"), entry("a/b"), one);
    deepStrictEqual(gone, ["a"], first);
  }
  const twice = [directory("a"), entry("a/b"), directory("a"), entry("a/c")];
  deepStrictEqual(await pathsOf(...twice), ["a", "a/b", "a/c"]);
  const { totals } = await imported(
    joined(...Array(1000).fill(entry("a", {}, "1")), END),
  );
  deepStrictEqual([totals.entryCount, totals.byteCount], [1, 1]);
});

Deno.test("a name in no encoding is kept byte for byte", async () => {
  const names = ["\xe4\xf6\xfc", "\xff\xfe", "a\nb", "a\\b", " ", "\u0001"];
  const { totals } = await imported(
    joined(...names.map((name) => entry(name)), END),
  );
  strictEqual(totals.entryCount, names.length);
});

Deno.test("a time of 0 is 1970; what no entry names has no time", async () => {
  using folder = new TestFolder();
  const zero = { mtime: 0 };
  const whole = joined(
    entry("d", { type: "5", ...zero }),
    entry("d/f", zero, "1"),
    entry("made/for/it", zero),
    END,
  );
  const { snapshots, record } = await imported(whole);
  const times = (root: string) =>
    ["", "d", "d/f", "made", "made/for/it"].map((path) =>
      statSync(`${root}/${path}`).mtimeMs
    );
  const before = Date.now() - 10_000;
  await restore(snapshots, record, folder.at("new"));
  const [root, ...others] = times(folder.at("new"));
  deepStrictEqual(others, [0, 0, 0, 0]);
  strictEqual(root > before, true);
  // Nor is one that is there already another one.
  utimesSync(folder.at("new/d/f"), 5, 5);
  await restore(snapshots, record, folder.at("new"), { existing: true });
  deepStrictEqual(times(folder.at("new")).slice(1), [0, 0, 0, 0]);
  await snapshots[Symbol.asyncDispose]();
});
