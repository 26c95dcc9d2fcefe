import { deepStrictEqual } from "node:assert/strict";
import { listExports } from "../_tools/exports.ts";
import { exists, readText, ROOT } from "../_tools/workspace.ts";

const LIST = "tests/testdata/exports.txt";
const isUpdate = Deno.env.get("SNAP_UPDATE") === "1";

Deno.test({
  name:
    "the public surface is the one in exports.txt; SNAP_UPDATE=1 rewrites it",
  ignore: !isUpdate && !exists(LIST),
  async fn() {
    const found = await listExports();
    if (isUpdate) {
      Deno.mkdirSync(`${ROOT}tests/testdata`, { recursive: true });
      Deno.writeTextFileSync(ROOT + LIST, found);
    }
    deepStrictEqual(found.split("\n"), readText(LIST).split("\n"));
  },
});
