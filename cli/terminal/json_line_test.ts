import { strictEqual } from "node:assert/strict";
import { jsonLine } from "./json_line.ts";

Deno.test("jsonLine: one line, version first", () => {
  strictEqual(
    jsonLine({ type: "id", id: "a\nb" }),
    '{"v":1,"type":"id","id":"a\\nb"}\n',
  );
});
