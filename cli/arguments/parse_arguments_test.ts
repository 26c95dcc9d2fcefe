import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { OptionSpec } from "./command_spec.ts";
import { parseArguments } from "./parse_arguments.ts";
import { UsageError } from "./usage_error.ts";

const OPTIONS: OptionSpec[] = [
  { name: "long", short: "l", help: "" },
  { name: "recursive", short: "R", help: "" },
  { name: "tag", short: "t", value: "NAME", help: "" },
  { name: "exclude", value: "PATTERN", repeats: true, help: "" },
  { name: "workers", value: "N", help: "" },
];

Deno.test("parseArguments: every way to write an option", () => {
  const ways = [
    ["--tag", "a"],
    ["--tag=a"],
    ["-t", "a"],
    ["-ta"],
    ["-lta"],
    ["-lt", "a"],
  ];
  for (const way of ways) {
    const parsed = parseArguments([...way, "DIR"], OPTIONS);
    strictEqual(parsed.text("tag"), "a", way.join(" "));
    deepStrictEqual(parsed.positionals, ["DIR"], way.join(" "));
    strictEqual(parsed.has("long"), way[0].startsWith("-l"));
  }
});

Deno.test("parseArguments: letters stand together, options anywhere", () => {
  const parsed = parseArguments([
    "a",
    "-lR",
    "b",
    "--exclude=x",
    "--exclude",
    "-y",
  ], OPTIONS);
  deepStrictEqual(parsed.positionals, ["a", "b"]);
  deepStrictEqual([parsed.has("long"), parsed.has("recursive")], [true, true]);
  deepStrictEqual(parsed.list("exclude"), ["x", "-y"]);
  deepStrictEqual(parsed.list("tag"), []);
});

Deno.test("parseArguments: nothing is an option after --, and - is none", () => {
  const parsed = parseArguments(["-", "--", "--tag", "-l"], OPTIONS);
  deepStrictEqual(parsed.positionals, ["-", "--tag", "-l"]);
  strictEqual(parsed.has("long"), false);
});

Deno.test("parseArguments: stops where the command begins", () => {
  const parsed = parseArguments(["-l", "save", "--tag", "x"], OPTIONS, {
    stopsAtPositional: true,
  });
  deepStrictEqual(parsed.positionals, ["save", "--tag", "x"]);
});

Deno.test("parseArguments: an empty value is a value", () => {
  strictEqual(parseArguments(["--tag="], OPTIONS).text("tag"), "");
  strictEqual(parseArguments(["--tag", ""], OPTIONS).text("tag"), "");
});

Deno.test("parseArguments: wrong usage says what and what was meant", () => {
  const cases: [string[], RegExp, string | undefined][] = [
    [
      ["--tga", "x"],
      /Cannot use --tga: there is no such option/,
      "did you mean --tag?",
    ],
    [["--zzzz"], /Cannot use --zzzz/, undefined],
    [["-z"], /Cannot use -z/, undefined],
    [["-lz"], /Cannot use -z/, undefined],
    [["--tag"], /Cannot use --tag without a value: NAME/, undefined],
    [["-t"], /Cannot use --tag without a value/, undefined],
    [
      ["--long=yes"],
      /Cannot use --long=yes: --long takes no value/,
      undefined,
    ],
    [["--tag", "a", "-t", "b"], /Cannot use --tag twice/, undefined],
  ];
  for (const [args, message, hint] of cases) {
    throws(() => parseArguments(args, OPTIONS), (error) => {
      strictEqual(error instanceof UsageError, true);
      strictEqual(message.test((error as Error).message), true, args.join(" "));
      strictEqual((error as UsageError).hint, hint);
      return true;
    });
  }
});

Deno.test("ParsedArguments: numbers have limits", () => {
  const parse = (text: string) => parseArguments(["--workers", text], OPTIONS);
  strictEqual(parse("8").number("workers", 8), 8);
  strictEqual(parse("0").number("workers", 8), 0);
  strictEqual(parse("8").number("tag", 8), undefined);
  for (const text of ["9", "-1", "1.5", "", "many", "0x1", "1e3"]) {
    throws(() => parse(text).number("workers", 8), UsageError, text);
  }
});

Deno.test("parseArguments: tells what stands before --", () => {
  const count = (...args: string[]) =>
    parseArguments(args, OPTIONS).beforeDashesCount;
  strictEqual(count("a", "--", "b", "-l", "--", "c"), 1);
  strictEqual(count("a", "-l", "b"), 2);
  strictEqual(count("--"), 0);
});
