import { deepStrictEqual, match, throws } from "node:assert/strict";
import { listBenches, runBench } from "../bench/_benches.ts";
import { makeSourceTree } from "../bench/_source_tree.ts";
import { surveyTree } from "../bench/_survey.ts";
import { ratioOf, replaceSection, type Row } from "../bench/_table.ts";
import { ROOT } from "../_tools/workspace.ts";

for (const name of listBenches()) {
  Deno.test(`bench ${name} runs at a small size`, async () => {
    const { code, said } = await runBench(name, ["--small"], "piped");
    deepStrictEqual(code, 0, said);
  });
}

Deno.test("bench refuses a name that no bench has, instead of running all", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "bench/run.ts", "none", "--small"],
    cwd: ROOT,
    stdin: "null",
  }).output();
  deepStrictEqual(code, 2);
  deepStrictEqual(stdout.length, 0);
  match(new TextDecoder().decode(stderr), /^Cannot bench as .*: found none\n$/);
});

Deno.test("bench peers runs at a small size and prints its tables", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "bench/peers.ts", "--small"],
      ...["--peers", "tar,cp", "--floors"],
    ],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout);
  const told = new TextDecoder().decode(stderr);
  deepStrictEqual(code, 0, said + told);
  match(said, /^\| tar \| \d+\.\d\d s \|/m);
  match(said, /^### Restore/m);
  match(said, /^- snap: .*, native hashing, files by posix, /m);
  match(said, /^- snap, WASM hashing: .*, wasm hashing, files by posix, /m);
  if (told.includes("snap on Node is not here")) return console.warn(told);
  for (
    const [what, hasher, files] of [
      ["", "native", "posix"],
      [" without native hash", "wasm", "posix"],
      [" without koffi", "native", "node:fs"],
    ]
  ) {
    const about =
      `- snap on Node${what}: node 22\\..*, ${hasher} hashing, files by ${files}, zstd:3`;
    match(said, new RegExp(`^${about}`, "m"));
    match(
      said,
      new RegExp(`^\\| snap on Node${what} \\| \\d+\\.\\d\\d s \\|`, "m"),
    );
  }
});

Deno.test("makeSourceTree makes the same tree each time, with copies in it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const options = { fileCount: 600, byteCount: 6_000_000 };
    makeSourceTree(`${folder}/one`, options);
    makeSourceTree(`${folder}/two`, options);
    const survey = surveyTree(`${folder}/one`);
    deepStrictEqual(surveyTree(`${folder}/two`), survey);
    deepStrictEqual(survey.files, 600);
    deepStrictEqual(Math.round(survey.megabytes * 100), 600);
    deepStrictEqual(survey.copies > 10 && survey.copies < 40, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ratioOf compares runs of one round", () => {
  const rest = { cpuSeconds: 0, peakBytes: 0, output: "" };
  const row = (...runs: [round: number, wallSeconds: number][]): Row => ({
    name: "",
    runs: runs.map(([round, wallSeconds]) => ({ round, wallSeconds, ...rest })),
  });
  const other = row([1, 2], [3, 1]);
  deepStrictEqual(ratioOf(row([1, 1], [2, 9], [3, 2]), other), 1.25);
  deepStrictEqual(ratioOf(row([2, 9]), other), undefined);
  deepStrictEqual(ratioOf(undefined, other), undefined);
});

Deno.test("replaceSection replaces what is between its markers", () => {
  const first = replaceSection("# Benchmarks\n", "a", "one");
  const both = replaceSection(first, "b", "two");
  deepStrictEqual(
    replaceSection(both, "a", "three"),
    both.replace("one", "three"),
  );
});

Deno.test("replaceSection refuses a section without an end", () => {
  throws(() => replaceSection("<!-- begin a -->\n", "a", "one"), RangeError);
});
