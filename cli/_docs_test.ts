import { strictEqual } from "node:assert/strict";
import { cliDocs } from "./_docs.ts";

const PATH = new URL("../docs/cli.md", import.meta.url);

Deno.test("docs/cli.md is current; SNAP_UPDATE=1 rewrites it", async () => {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(cliDocs()));
  await writer.close();
  const { success, stdout } = await formatter.output();
  strictEqual(success, true);
  const text = new TextDecoder().decode(stdout);
  if (Deno.env.get("SNAP_UPDATE") === "1") Deno.writeTextFileSync(PATH, text);
  strictEqual(Deno.readTextFileSync(PATH), text);
});
