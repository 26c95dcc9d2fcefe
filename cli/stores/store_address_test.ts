import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import { UsageError } from "../arguments/usage_error.ts";
import { parseAddress, withoutPassword } from "./store_address.ts";

/** What is said of something that cannot be a store. */
function refusal(run: () => unknown): UsageError {
  let said: UsageError | undefined;
  throws(run, (error) => {
    said = error as UsageError;
    return error instanceof UsageError;
  });
  return said!;
}

Deno.test("parseAddress tells addresses, folders and names apart", () => {
  for (
    const path of ["", ".", "..", "/srv/a", "a/b", "./s3:", "./a:b", "a/b:c"]
  ) {
    deepStrictEqual(parseAddress(path), { kind: "folder", path }, path);
  }
  for (const name of ["offsite", "a.b", "x-1"]) {
    deepStrictEqual(parseAddress(name), { kind: "name", name });
  }
  for (const url of ["s3://b/p", "HTTPS://h/p", "ssh://u@h:22/p"]) {
    const scheme = url.split(":")[0].toLowerCase();
    deepStrictEqual(parseAddress(url), { kind: "far", url, scheme });
  }
});

Deno.test("parseAddress refuses what is meant for another program, with a hint", () => {
  const cases: [string, RegExp, RegExp][] = [
    ["gs://bucket/x", /there is no scheme gs$/, /s3:\/\/, .*ssh:\/\/.*\.\/gs:/],
    ["file:///srv/a", /has no scheme$/, /^write \/srv\/a$/],
    ["host:/srv/a", /colon/, /is \.\/host:\/srv\/a, .* ssh:\/\/host\/srv\/a$/],
    ["me@host:a", /colon/, /ssh:\/\/me@host\/~\/a$/],
    ["s3:bucket/x", /colon/, /\.\/s3:bucket\/x/],
    [":x", /colon/, /ssh:\/\/HOST\/~\/x/],
  ];
  for (const [text, message, hint] of cases) {
    const error = refusal(() => parseAddress(text));
    match(error.message, message, text);
    match(error.hint!, hint, text);
  }
  const { message } = refusal(() => parseAddress("ftp://me:secret@host/x"));
  strictEqual(message.includes("secret"), false, message);
});

Deno.test("withoutPassword keeps the user", () => {
  strictEqual(withoutPassword("https://me:secret@h/x"), "https://me@h/x");
  strictEqual(withoutPassword("https://h:8/x@y"), "https://h:8/x@y");
  strictEqual(withoutPassword("s3://key:se/cr+et@b/x"), "s3://key@b/x");
  strictEqual(withoutPassword("s3://b/x:y@z"), "s3://b/x:y@z");
});
