import { deepStrictEqual, match, throws } from "node:assert/strict";
import { listBenches, runBench } from "../bench/_benches.ts";
import { replaceSection } from "../bench/_table.ts";
import { ROOT } from "../_tools/workspace.ts";

for (const name of listBenches()) {
  Deno.test(`bench ${name} runs at a small size`, async () => {
    const { code, said } = await runBench(name, "small", "piped");
    deepStrictEqual(code, 0, said);
  });
}

Deno.test("bench peers runs at a small size and prints its tables", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "bench/peers.ts", "--small", "--peers", "tar,cp"],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout);
  deepStrictEqual(code, 0, said + new TextDecoder().decode(stderr));
  match(said, /^\| tar \| \d+\.\d\d s \|/m);
  match(said, /^### Restore/m);
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
