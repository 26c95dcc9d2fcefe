import {
  deepStrictEqual,
  doesNotMatch,
  match,
  rejects,
  throws,
} from "node:assert/strict";
import { listBenches, runBench } from "../bench/_benches.ts";
import {
  compareTrees,
  MAKE_FACTS,
  parseLost,
  PRINT_LOST,
} from "../bench/_fidelity.ts";
import { measure } from "../bench/_measure.ts";
import { makeSourceTree } from "../bench/_source_tree.ts";
import { surveyTree } from "../bench/_survey.ts";
import { ratioOf, replaceSection, type Row } from "../bench/_table.ts";
import { ROOT } from "../_tools/workspace.ts";

/** The variables of a bench that finds a peer which tells its version, and does nothing else. */
function withFailingBorg(folder: string): Record<string, string> {
  const program = `#!/bin/sh
[ "$1" = --version ] && echo borg 9.9 && exit
echo 'there is no FUSE here' >&2
exit 3
`;
  Deno.writeTextFileSync(`${folder}/borg`, program, { mode: 0o755 });
  return { PATH: `${folder}:${Deno.env.get("PATH")}` };
}

for (const name of listBenches().filter((name) => name !== "mount")) {
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

Deno.test("bench mount runs at a small size, without a row for a peer that fails", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "bench/mount_bench.ts", "--small"],
      cwd: ROOT,
      env: withFailingBorg(folder),
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout);
    const told = new TextDecoder().decode(stderr);
    deepStrictEqual(code, 0, said + told);
    if (/^Cannot measure mounts as /m.test(told)) return console.warn(told);
    match(said, /^\| snap zstd \| \d/m);
    match(said, /^- borg is left out: there is no FUSE here$/m);
    doesNotMatch(said, /^\| borg /m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bench peers runs at a small size and prints its tables", async () => {
  const folder = await Deno.makeTempDir();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "bench/peers.ts", "--small"],
      ...["--peers", "tar,cp,borg", "--floors"],
    ],
    cwd: ROOT,
    env: withFailingBorg(folder),
    stdin: "null",
  }).output();
  await Deno.remove(folder, { recursive: true });
  const said = new TextDecoder().decode(stdout);
  const told = new TextDecoder().decode(stderr);
  deepStrictEqual(code, 0, said + told);
  match(said, /^\| tar \| \d+\.\d\d s \|/m);
  match(said, /^### Restore/m);
  match(said, /^\| tar \| .* \| nanoseconds(, attributes)? \|$/m);
  match(said, /^- borg is left out: there is no FUSE here$/m);
  doesNotMatch(said, /^\| borg /m);
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
      `- snap on Node${what}: node 22\\..*, ${hasher} hashing, files by ${files}, zstd:1`;
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

Deno.test("compareTrees sees each fact that is others, and passes over those that are not kept", async () => {
  const folder = await Deno.makeTempDir();
  const env = { TREE: `${folder}/one`, TARGET: `${folder}/two` };
  const run = (command: string) => measure(command, { cwd: folder, env });
  try {
    await run(`${MAKE_FACTS}; cp -a "$TREE" "$TARGET"`);
    await run(compareTrees([]));
    deepStrictEqual(parseLost((await run(PRINT_LOST)).output), []);
    await run(`cd "$TARGET" && chmod 600 file && touch -d 2002-02-02 file`);
    const lost = parseLost((await run(PRINT_LOST)).output);
    deepStrictEqual(lost, ["modes", "times"]);
    await run(compareTrees(lost));
    await rejects(run(compareTrees(["modes"])), /the times are others$/m);
    await run(`echo another >"$TARGET/file"`);
    await rejects(run(compareTrees(lost)), /differ$/m);
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
