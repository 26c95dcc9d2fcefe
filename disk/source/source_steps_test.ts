import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { IgnoreRules } from "../ignore/ignore_rules.ts";
import { DiskError } from "../disk_error.ts";
import { openSource, type SourceOptions } from "./source.ts";
import type { SourceDirectory } from "./source_directory.ts";
import { BACK_ENDS, hooked, tempDir, text } from "../testdata/temp_dir.ts";

/** Name, inode and mode of each row. */
function rowsOf(directory: SourceDirectory, from = 0): string[] {
  const rows: string[] = [];
  for (let i = from; i < directory.count; i++) {
    const { stats, first } = directory;
    const at = i - first;
    rows.push(
      [
        text(directory.name(i)),
        stats.inodeLow(at),
        stats.mode(at),
        directory.isDirectory(i),
        directory.isFile(i),
      ].join(),
    );
  }
  return rows;
}

/** All rows of a directory that is listed in steps, and how many steps there were. */
function stepsOf(
  directory: SourceDirectory,
): { rows: string[]; steps: number } {
  const rows: string[] = [];
  let steps = 1;
  for (;;) {
    rows.push(...rowsOf(directory, rows.length));
    if (directory.isListed) return { rows, steps };
    directory.more();
    steps++;
    assert.ok(steps < 1000);
  }
}

const COUNT = 9000;

function makeWide(path: string): void {
  for (let i = 0; i < COUNT; i++) {
    const name = `${path}/${(i * 7919) % COUNT}`;
    if (i % 1000 === 0) mkdirSync(name);
    else if (i % 1000 === 1) symlinkSync("x", name);
    else writeFileSync(name, "");
  }
}

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} source lists the same in steps as at once`, () => {
    using dir = tempDir();
    mkdirSync(`${dir.path}/wide`);
    makeWide(`${dir.path}/wide`);
    const ignore = new IgnoreRules({ exclude: ["*77"] });
    for (const options of [{}, { ignore }] satisfies SourceOptions[]) {
      using source = openSource(dir.path, { calls, ...options });
      using root = source.open();
      assert.equal(root.rowsMax, undefined);
      assert.deepEqual([root.count, root.isListed], [0, false]);
      root.more();
      assert.deepEqual([root.count, root.isListed], [1, true]);
      using whole = root.child(0) as SourceDirectory;
      assert.ok(whole.isListed);
      const expected = rowsOf(whole);
      assert.equal(expected.length, options.ignore ? COUNT - 90 : COUNT);
      using stepwise = root.open(0) as SourceDirectory;
      const { rows, steps } = stepsOf(stepwise);
      assert.deepEqual(rows, expected);
      assert.ok(steps >= 3, `${steps} steps`);
      assert.ok(stepwise.first > 0);
      assert.ok(stepwise.stats.rows < COUNT);
      assert.ok(stepwise.rowsMax! >= stepwise.count);
    }
  });

  Deno.test(`${name} source lists directories while another is listed in steps`, () => {
    using dir = tempDir();
    makeWide(dir.path);
    using source = openSource(dir.path, { calls });
    using one = source.open();
    one.more();
    using other = source.root();
    const { rows } = stepsOf(one);
    assert.deepEqual(rows, rowsOf(other));
    assert.deepEqual(source.errors, []);
  });
}

Deno.test("source in steps drops what is gone when its row comes", () => {
  using dir = tempDir();
  makeWide(dir.path);
  const calls = [...BACK_ENDS.values()][0];
  let count = 0;
  using source = openSource(dir.path, {
    calls: hooked(calls, {
      statAt: (...args) => ++count % 2 === 0 ? -2 : calls.statAt(...args),
    }),
  });
  using root = source.open();
  assert.equal(stepsOf(root).rows.length, COUNT / 2);
  assert.equal(source.errorCount, COUNT / 2);
  assert.ok(source.errors.every((error) => error instanceof DiskError));
});

Deno.test("source in steps may be closed before its end", () => {
  using dir = tempDir();
  makeWide(dir.path);
  using source = openSource(dir.path);
  const root = source.open();
  root.more();
  root.close();
  assert.ok(root.isListed);
  using again = source.root();
  assert.equal(again.count, COUNT);
});
