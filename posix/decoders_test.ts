import assert from "node:assert/strict";
import { checkDecoders } from "./testdata/decoder_checks.ts";

Deno.test("the decoders of the system decode, and refuse what they should", () => {
  const absent = checkDecoders();
  if (absent !== undefined) console.log(`left out: ${absent}`);
});

Deno.test("without --allow-ffi there are no decoders, and nobody is asked", async () => {
  const url = new URL("./decoders.ts", import.meta.url);
  const source = `import { nativeDecoders } from ${JSON.stringify(url)};
    const { lz4, zstd } = nativeDecoders;
    console.log([lz4.name, zstd.name].filter(Boolean).length);`;
  const program = `data:text/javascript,${encodeURIComponent(source)}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-read", program],
    stdin: "null",
  });
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "0\n");
});
