import assert from "node:assert/strict";
import { onExit } from "./on_exit.ts";

Deno.test("onExit calls back at an exit, unless it was taken back", async () => {
  const url = import.meta.resolve("./on_exit.ts");
  const code = `import { onExit } from ${JSON.stringify(url)};
    const takeBack = onExit(() => console.log("taken back"));
    onExit(() => console.log("bye"));
    takeBack();
    Deno.exit(3);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    stderr: "null",
  });
  const { code: status, stdout } = await child.output();
  assert.equal(status, 3);
  assert.equal(new TextDecoder().decode(stdout), "bye\n");
});

Deno.test("onExit gives a way back", () => {
  onExit(() => {})();
});
