import { deepStrictEqual } from "node:assert/strict";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import { parseArguments } from "../arguments/parse_arguments.ts";
import { givenOptions } from "./start_again.ts";

Deno.test("a program that is started again has every option of all commands, and its own", () => {
  const given = ["--no-cache", "--jobs=2", "--all", "--log=x", "latest"];
  const args = parseArguments(given, [
    ...GLOBAL_OPTIONS,
    { name: "all", help: "" },
    { name: "log", value: "FILE", help: "" },
  ]);
  deepStrictEqual(givenOptions(args, ["all"]), [
    "--jobs=2",
    "--no-cache",
    "--all",
  ]);
});
