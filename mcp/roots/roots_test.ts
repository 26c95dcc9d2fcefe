import { rejects } from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { Roots } from "./roots.ts";

Deno.test("a root that is none is refused in words", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "");
  symlinkSync("circle", folder.join("circle"));
  for (
    const [name, expected] of [
      [
        "none",
        /^ToolError: Cannot use root .*none: there is no such directory$/,
      ],
      ["circle", /^ToolError: Cannot use root .*circle: ELOOP$/],
      ["file", /^DiskError: Cannot open directory .*file: .*\(ENOTDIR\)$/],
    ] as const
  ) await rejects(Roots.open([folder.join(name)]), expected);
});
