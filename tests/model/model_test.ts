// The protocol of docs/FORMAT.md, "Leases and removal", is tried in every order of
// steps; and each of its rules is needed.
import { deepStrictEqual, ok } from "node:assert/strict";
import { explore } from "./explore.ts";
import { SCENARIOS } from "./scenarios.ts";
import { PROTOCOL, type Rules } from "./state.ts";

/** Scenarios that are small enough for each run of the tests. */
const SMALL = [
  ...["crash", "sleeper", "copy", "namedCopy", "renewal", "recipe"],
  ...["forgottenParent", "latePruner", "reader", "sleepingParent"],
];

for (const name of SMALL) {
  Deno.test(`model: ${SCENARIOS[name].name}: nothing is lost, nothing dead stays`, () => {
    const { isExhausted, violations } = explore(SCENARIOS[name], PROTOCOL);
    deepStrictEqual([...violations], []);
    ok(isExhausted);
  });
}

Deno.test("model: nothing is lost where a run may not remove its record", () => {
  const rules = { ...PROTOCOL, withdraws: false };
  for (const name of ["crash", "sleeper", "copy", "renewal"]) {
    deepStrictEqual([...explore(SCENARIOS[name], rules).violations], [], name);
  }
});

/** A rule that is left out, where that shows, and how. */
const REPAIRS: readonly (readonly [keyof Rules, string, RegExp])[] = [
  ["voidsByName", "copy", /lacks an object/],
  ["startStays", "renewal", /lacks an object/],
  ["looksUpChunks", "recipe", /lacks an object/],
  ["looksAfterAppend", "latePruner", /lacks an object/],
  ["readerInsists", "reader", /reader fails/],
  ["newSalt", "adopted", /lacks an object/],
  ["trustsOnlyWhileClosed", "sleepingParent", /lacks an object/],
  ["readsNamesLate", "namedCopy", /lacks an object/],
  ["packsAfterRound", "sleeper", /lacks an object/],
  ["marksWithRound", "sleepingParent", /lacks an object/],
];

for (const [rule, name, expected] of REPAIRS) {
  Deno.test(`model: without the rule ${rule} something goes wrong: ${SCENARIOS[name].name}`, () => {
    const rules = { ...PROTOCOL, [rule]: false };
    const found = [...explore(SCENARIOS[name], rules, true).violations.keys()];
    ok(found.some((one) => expected.test(one)), found.join());
  });
}

Deno.test("model: two records under one save id go wrong", () => {
  const { violations } = explore(SCENARIOS.twoRecords, PROTOCOL);
  ok(violations.size > 0);
});
