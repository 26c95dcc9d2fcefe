// Programs that bundlers made of the npm packages, and the tests of stores under other runners.
import { equal, match, ok } from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";
import type { Scene } from "./_npm_commands.ts";
import { NAMES } from "./_npm_project.ts";

/** What is installed for it. */
export const BUNDLERS = [
  "esbuild@0.28.2",
  "vite@8.4.0",
  "vitest@4.1.12",
] as const;

/** Saves and restores with workers, and prints the id. */
const PROGRAM = `
import { deepEqual } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";
const folder = process.argv[2];
mkdirSync(folder + "/source", { recursive: true });
for (let i = 0; i < 600; i++) {
  writeFileSync(folder + "/source/" + i, i + " ".repeat(20_000));
}
const store = await openFileStore(folder + "/store", { create: true });
await initStore(store);
const snapshots = await openSnapshots(store, { hasher });
const saved = await save(snapshots, folder + "/source", { workers: 2 });
await restore(snapshots, saved.record, folder + "/copy", { workers: 2 });
deepEqual(readFileSync(folder + "/copy/3"), readFileSync(folder + "/source/3"));
await snapshots.close();
console.log(saved.id);
`;

const STORE_TEST = `
import { MemoryStore } from "@snap/store/memory";
import { testStore } from "@snap/store/testing";
const end = async () => {};
const make = async () => ({ store: new MemoryStore(), [Symbol.asyncDispose]: end });
testStore("MemoryStore", make, test);
`;

const here = (text: string): string =>
  text.replaceAll("@snap/", `${NAMES.scope}/`);

/** A block of docs/BUNDLERS.md that has these words. */
function shown(language: string, words: string): string {
  const text = readFileSync(join(ROOT, "docs/BUNDLERS.md"), "utf8");
  const blocks = text.matchAll(
    new RegExp(`^\`\`\`${language}(?: ignore)?\\n([^]*?)^\`\`\`$`, "gm"),
  );
  const found = [...blocks].find(([, block]) => block.includes(words));
  ok(found, `no block has ${words}`);
  return here(found[1]);
}

/**
 * Bundles a program as docs/BUNDLERS.md says, and runs what was made in a folder that has nothing else.
 */
export async function runBundles(scene: Scene): Promise<void> {
  const { project, installed, nodes } = scene;
  const node = nodes.get("node-24")!;
  const env = { PATH: `${dirname(node)}:${Deno.env.get("PATH")}` };
  const run = async (words: readonly string[], cwd = installed) => {
    const { code, stdout, stderr } = await project.run(words, { cwd, env });
    equal(code, 0, stdout + stderr);
    return stdout;
  };
  writeFileSync(join(installed, "program.js"), here(PROGRAM));
  writeFileSync(join(installed, "vite.config.js"), shown("js", "noExternal"));
  const id = await run([node, "program.js", project.at("unbundled")]);
  match(id, /^[0-9a-f]{64}\n$/);
  const commands = {
    esbuild: shown("sh", "npx esbuild").trim().split(" "),
    vite: ["npx", "vite", "build"],
  };
  for (const [name, words] of Object.entries(commands)) {
    await run(words);
    const alone = project.at(`alone-${name}`);
    mkdirSync(alone);
    cpSync(join(installed, "dist"), alone, { recursive: true });
    writeFileSync(join(alone, "package.json"), '{"type":"module"}');
    ok(existsSync(join(alone, "save_worker.js")), name);
    const work = project.at(`bundled-${name}`);
    equal(await run([node, "program.js", work], alone), id, name);
  }
}

/** Runs the tests of a store under `node --test` and under Vitest. */
export async function runStoreTests(scene: Scene): Promise<void> {
  const { project, installed, nodes } = scene;
  const node = nodes.get("node-24")!;
  const env = { PATH: `${dirname(node)}:${Deno.env.get("PATH")}` };
  const runners = {
    "node:test": [node, "--test", "store.test.mjs"],
    vitest: ["npx", "vitest", "run", "store.test.mjs"],
  };
  for (const [name, words] of Object.entries(runners)) {
    const text = `import { test } from "${name}";\n${here(STORE_TEST)}`;
    writeFileSync(join(installed, "store.test.mjs"), text);
    const { code, stdout, stderr } = await project.run(words, {
      cwd: installed,
      env: { ...env, NO_COLOR: "1" },
    });
    equal(code, 0, stdout + stderr);
    match(stdout, /(tests|Tests +) (1[5-9]|[2-9]\d)\b/, name);
  }
}
