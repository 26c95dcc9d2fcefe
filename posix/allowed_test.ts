import assert from "node:assert/strict";
import { allowed } from "./allowed.ts";

/** What a program with some permissions says of `allowed` and `posix`. */
async function ask(...flags: string[]): Promise<string> {
  const source = `import { allowed } from ${
    JSON.stringify(new URL("./allowed.ts", import.meta.url))
  };
    import { posix, posixAbsentReason } from ${
    JSON.stringify(new URL("./posix.ts", import.meta.url))
  };
    console.log(allowed("ffi"), allowed("read"), posix !== undefined, posixAbsentReason);
    if (allowed("read", "/etc/passwd")) console.log("passwd");
    if (allowed("read", "/etc")) console.log("etc");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-lock",
      ...flags,
      `data:text/javascript,${encodeURIComponent(source)}`,
    ],
    stdin: "null",
  });
  const { stdout, stderr } = await child.output();
  return new TextDecoder().decode(stdout).trim() ||
    new TextDecoder().decode(stderr);
}

Deno.test("allowed tells what is granted and posix follows it", async () => {
  assert.equal(allowed("ffi"), true);
  const onLinux = Deno.build.os === "linux";
  if (!onLinux) return;
  const [none, some, all] = await Promise.all([
    ask("--allow-import"),
    ask("--allow-read"),
    ask("--allow-ffi"),
  ]);
  const one = await ask("--allow-read=/etc/passwd");
  assert.equal(none, "false false false native calls need --allow-ffi");
  assert.equal(
    some,
    "false true false native calls need --allow-ffi\npasswd\netc",
  );
  assert.equal(one, "false false false native calls need --allow-ffi\npasswd");
  assert.equal(all, "true false true undefined");
});
