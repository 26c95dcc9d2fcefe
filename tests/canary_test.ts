// Each test plants a fault and fails if nobody notices it: what finds nothing
// else may be blind.
import { deepStrictEqual, match, notDeepStrictEqual } from "node:assert/strict";
import {
  commentProblems,
  entryPointProblems,
  flagProblems,
  frontDoorProblems,
  linkProblems,
  titleProblems,
  versionProblems,
  wordProblems,
} from "../_tools/tidy.ts";
import { ROOT } from "../_tools/workspace.ts";
import { MemoryStore } from "@snap/store/memory";
import { type Fault, FaultStore, testStore } from "@snap/store/testing";
import { Prng } from "./_prng.ts";

/** Runs `deno test` on one file with the project's settings and returns what it says. */
async function runTest(
  source: string,
  env: Record<string, string> = {},
): Promise<{ code: number; said: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "snap-canary-" });
  try {
    const path = `${folder}/planted_test.ts`;
    Deno.writeTextFileSync(path, source);
    const output = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "-A",
        "--no-check",
        "--no-lock",
        "--config",
        `${ROOT}deno.json`,
        path,
      ],
      cwd: ROOT,
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const said = decoder.decode(output.stdout) + decoder.decode(output.stderr);
    return { code: output.code, said };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("canary: a test that passes passes", async () => {
  const { code, said } = await runTest(`Deno.test("fine", () => {});`);
  deepStrictEqual(code, 0, said);
});

Deno.test("canary: a file left open is noticed", async () => {
  const { code, said } = await runTest(`Deno.test("leak", () => {
    Deno.openSync(new URL(import.meta.url));
  });`);
  notDeepStrictEqual(code, 0);
  match(said, /Leaks detected/);
});

Deno.test("canary: a timer left running is noticed", async () => {
  const { code, said } = await runTest(`Deno.test("leak", () => {
    setTimeout(() => {}, 60_000);
  });`);
  notDeepStrictEqual(code, 0);
  match(said, /Leaks detected/);
});

Deno.test("canary: a failing seeded test says its seed", async () => {
  const { code, said } = await runTest(
    `import { seededTest } from "${ROOT}tests/_prng.ts";
    seededTest("planted", (prng) => {
      if (prng.seed === 12) throw new Error("planted fault");
    });`,
    { SNAP_SEED: "7" },
  );
  notDeepStrictEqual(code, 0);
  match(said, /SNAP_SEED=12: planted fault/);
});

/** Counts the tests of the contract suite that a store with a fault in every call fails. */
async function countContractFailures(fault?: Fault): Promise<number> {
  const runs: (() => Promise<void>)[] = [];
  const faults = fault === undefined ? [] : [fault];
  const chance = { seed: 1, rate: faults.length, faults };
  testStore(
    "planted",
    () =>
      Promise.resolve({
        store: new FaultStore(new MemoryStore(), { chance }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    (_title, run) => runs.push(run),
  );
  let count = 0;
  for (const run of runs) await run().catch(() => count++);
  return count;
}

Deno.test("canary: the contract suite notices a store that fails", async () => {
  deepStrictEqual(await countContractFailures(), 0);
  for (const fault of ["error", "full", "torn", "lost", "flip"] as const) {
    notDeepStrictEqual(await countContractFailures(fault), 0, fault);
  }
});

Deno.test("canary: Prng repeats itself for one seed only", () => {
  deepStrictEqual(new Prng(7).bytes(1001), new Prng(7).bytes(1001));
  notDeepStrictEqual(new Prng(7).bytes(1001), new Prng(8).bytes(1001));
  notDeepStrictEqual(
    new Prng(7).bytes(1001),
    new Prng(7 + 2 ** 32).bytes(1001),
  );
});

Deno.test("canary: each tidy check notices its fault", () => {
  const one = { folder: "hash", name: "@snap/hash", version: "1.0.0" };
  const exports = { ".": "./mod.ts", "./id": "./id.ts" };
  const entry = {
    folder: "hash",
    path: "",
    name: "@snap/hash",
    file: "hash/mod.ts",
    isInternal: false,
    symbols: [],
  };
  const planted = [
    entryPointProblems({ ...one, exports }, ["hash/mod.ts"]),
    entryPointProblems({
      ...one,
      exports: { "./chunk": "./chunk/chunker.ts" },
    }, ["hash/chunk/chunker.ts"]),
    entryPointProblems({ ...one, exports: { "./chunk": "./id.ts" } }, [
      "hash/id.ts",
    ]),
    entryPointProblems({ ...one, exports: { "./-id": "./_id.ts" } }, [
      "hash/_id.ts",
    ]),
    frontDoorProblems({ ...one, exports }, `export * from "./other.ts";`),
    versionProblems([{ ...one, exports }, {
      ...one,
      exports,
      version: "2.0.0",
    }]),
    commentProblems({ ...entry, comment: {} }),
    commentProblems({ ...entry, comment: { tags: [{ kind: "module" }] } }),
    flagProblems({ path: "a.ts", text: "const O_NOFOLLOW = 0o400000;" }),
    flagProblems({ path: "a.ts", text: "open(path, 0o400000);" }),
    titleProblems({ path: "a.md", text: "# One\n\n# Two\n" }),
    titleProblems({ path: "a.md", text: "Text\n\n# Late\n" }),
    wordProblems({ path: "a.ts", text: "// see /wor" + "k/main" }),
    linkProblems({ path: "docs/a.md", text: "[b](b.md)" }, () => undefined),
    linkProblems({ path: "docs/a.md", text: "[b](b.md#c)" }, () => "# Other"),
  ];
  deepStrictEqual(
    planted.map((problems) => problems.length),
    planted.map(() => 1),
  );
});

Deno.test("canary: the tidy checks leave alone what is right", () => {
  const one = { folder: "hash", name: "@snap/hash", version: "1.0.0" };
  const exports = {
    ".": "./mod.ts",
    "./id": "./id.ts",
    "./testing": "./testing/mod.ts",
  };
  const paths = [
    "hash/mod.ts",
    "hash/id.ts",
    "hash/_a.ts",
    "hash/a_test.ts",
    "hash/testing/mod.ts",
  ];
  deepStrictEqual(entryPointProblems({ ...one, exports }, paths), []);
  const modText = `/** See \`@snap/hash/testing\`. */ export * from "./id.ts";`;
  deepStrictEqual(frontDoorProblems({ ...one, exports }, modText), []);
  const flags =
    "const O_PATH = 0o10000000;\nmkdir(path, 0o700);\nopen(path, constants.O_RDONLY);";
  deepStrictEqual(flagProblems({ path: "a.ts", text: flags }), []);
  const text = "# One\n\n```sh\n# comment\n```\n";
  deepStrictEqual(titleProblems({ path: "a.md", text }), []);
  const link = { path: "docs/a.md", text: "[b](../b.md#two-words)" };
  const read = (path: string) => path === "b.md" ? "## Two words" : undefined;
  deepStrictEqual(linkProblems(link, read), []);
});
