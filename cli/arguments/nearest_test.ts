import { strictEqual } from "node:assert/strict";
import { COMMANDS } from "./command_table.ts";
import { nearest } from "./nearest.ts";
import { ABSENT_WORDS, OTHER_WORDS } from "./other_words.ts";

const NAMES = COMMANDS.map((one) => one.name);

Deno.test("nearest: slips are found, other words are not", () => {
  const cases: [string, string | undefined][] = [
    ["svae", "save"],
    ["sav", "save"],
    ["restor", "restore"],
    ["resotre", "restore"],
    ["verfiy", "verify"],
    ["compl", "completions"],
    ["l", "ls"],
    ["", undefined],
    ["frobnicate", undefined],
  ];
  for (const [word, expected] of cases) {
    strictEqual(nearest(word, NAMES), expected, word);
  }
});

Deno.test("words of other programs lead to commands there are", () => {
  for (const [word, command] of Object.entries(OTHER_WORDS)) {
    strictEqual(NAMES.includes(command), true, command);
    strictEqual(NAMES.includes(word), false, word);
    strictEqual(Object.hasOwn(ABSENT_WORDS, word), false, word);
  }
  for (const word of Object.keys(ABSENT_WORDS)) {
    strictEqual(NAMES.includes(word), false, word);
  }
});
