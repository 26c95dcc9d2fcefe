// `deno task compile`, without a network: what goes into the file, and how it ends where
// the base of the runtime cannot be had.
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync } from "node:fs";
import { ROOT } from "../_tools/workspace.ts";
import { TemporaryFolder } from "./_snapshots.ts";

async function compile(file: string, env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", file],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes).trimEnd()
  );
  return { code, out, error };
}

function denoDirectory(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** No request gets anywhere: at this port of the own machine nothing listens. */
const OFFLINE = { HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "" };

Deno.test({
  name: "compile ends with 69 where the base of the runtime cannot be had",
  // Who has compiled before has it.
  ignore: existsSync(`${denoDirectory()}/dl/release`),
  async fn() {
    using folder = new TemporaryFolder();
    const file = folder.join("out/program");
    const { code, out, error } = await compile(file, OFFLINE);
    deepEqual([code, out], [69, ""], error);
    match(
      error,
      /^Cannot compile as the base of the runtime is needed: [^\n]*\n {2}hint: DENORT_BIN /m,
    );
    equal(existsSync(file), false);
  },
});

Deno.test("compile takes in every command, the workers and native code", async () => {
  using folder = new TemporaryFolder();
  const file = folder.join("out/program");
  // Deno itself in the place of the base: the file is made, but does not run.
  const env = { ...OFFLINE, DENORT_BIN: Deno.execPath() };
  const { code, out, error } = await compile(file, env);
  deepEqual([code, out], [0, file], error);
  equal(existsSync(file), true);
  const parts = [
    "commands/*",
    "save_worker.ts",
    "restore_worker.ts",
    "sync_worker.ts",
    "formats_worker.ts",
    "mount_worker.ts",
    "blake-hash/*",
  ];
  for (const name of parts) {
    match(error, new RegExp(`─ ${RegExp.escape(name)} \\(`));
  }
});
