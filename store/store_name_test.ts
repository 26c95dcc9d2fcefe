import {
  deepStrictEqual,
  doesNotThrow,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  checkStoreName,
  checkStorePrefix,
  checkTagName,
  escapeTagName,
  isStoreName,
  unescapeTagName,
} from "./store_name.ts";

Deno.test("checkStoreName takes the names of the format", () => {
  const id = "0a".repeat(32);
  const names = [
    "config/1",
    `packs/0a/${id}`,
    `index/${id}`,
    `snapshots/${id}-${id}-${id.slice(0, 32)}`,
    `forgotten/${id}`,
    `leases/${id.slice(0, 32)}/0`,
    `leases/${id.slice(0, 32)}/end`,
    `gc/void/${id.slice(0, 32)}`,
    `gc/bad/${id}`,
    "gc/17",
    "tags/%4dain/12",
    "gc/void/x",
    "listing",
    `listings/${id}`,
    `index/${"a".repeat(200)}`,
  ];
  for (const name of names) doesNotThrow(() => checkStoreName(name));
});

Deno.test("checkStoreName refuses every character that is not in the alphabet", () => {
  for (let code = 0; code < 0x180; code++) {
    const letter = String.fromCharCode(code);
    strictEqual(
      isStoreName(`index/a${letter}`),
      /[a-z0-9._%-]/.test(letter),
      `code ${code}`,
    );
  }
});

Deno.test("checkStoreName names the value it refuses", () => {
  throws(() => checkStoreName("a/../b"), {
    name: "RangeError",
    message:
      'Cannot use store name "a/../b": its segments are 1 to 200 of a-z 0-9 . _ - %',
  });
});

Deno.test("checkStorePrefix takes parts of names", () => {
  for (const prefix of ["", "p", "packs", "packs/", "packs/a", "packs/ab/"]) {
    doesNotThrow(() => checkStorePrefix(prefix));
  }
  for (
    const prefix of ["/", "../", "packs//", "packs/.", "PACKS", "tmp/", "tmp"]
  ) {
    throws(() => checkStorePrefix(prefix), RangeError, prefix);
  }
});

Deno.test("checkTagName refuses what reads as something else", () => {
  for (
    const tag of [
      "main",
      "Main",
      "v1.0",
      "a_b-c",
      "0",
      "_x",
      "abcdef1",
      "latest2",
      "x".repeat(64),
    ]
  ) {
    doesNotThrow(() => checkTagName(tag), tag);
  }
  const refused = [
    "",
    ".",
    "..",
    ".a",
    "-a",
    "a.",
    "a/b",
    "a b",
    "a~2",
    "a@b",
    "%41",
    "\u00e9",
  ];
  for (
    const tag of [
      ...refused,
      "x".repeat(65),
      "deadbeef",
      "DEADBEEF",
      "0".repeat(64),
    ]
  ) {
    throws(() => checkTagName(tag), RangeError, tag);
  }
  for (const tag of ["latest", "Latest", "LATEST"]) {
    throws(() => checkTagName(tag), RangeError, tag);
  }
});

Deno.test("escapeTagName keeps tags apart where the disk folds case, and comes back", () => {
  const tags = ["main", "Main", "MAIN", "mAIN", "v1.0-RC_2", "Z".repeat(64)];
  const segments = tags.map(escapeTagName);
  strictEqual(
    new Set(segments.map((segment) => segment.toLowerCase())).size,
    tags.length,
  );
  deepStrictEqual(segments.map(unescapeTagName), tags);
  for (const segment of segments) {
    strictEqual(isStoreName(`tags/${segment}/1`), true);
  }
});

Deno.test("unescapeTagName takes only what escapeTagName writes", () => {
  for (
    const segment of [
      "Main",
      "%6dain",
      "%4Dain",
      "%2e",
      "a%",
      "latest",
      "deadbeef",
      "%zz",
      "",
    ]
  ) {
    strictEqual(unescapeTagName(segment), undefined, segment);
  }
});
