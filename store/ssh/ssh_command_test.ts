import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { StoreError } from "../errors.ts";
import { parseSshAddress, sshCommand } from "./mod.ts";

Deno.test("addresses have a host, a user, a port and a path", () => {
  const cases: readonly [string, unknown[]][] = [
    ["ssh://h/srv/a", ["h", undefined, undefined, "/srv/a"]],
    ["sftp://ann@H.example:2222/", ["H.example", "ann", 2222, "/"]],
    ["ssh://h/~", ["h", undefined, undefined, "."]],
    ["ssh://h/~/", ["h", undefined, undefined, "."]],
    ["ssh://h/~/a//", ["h", undefined, undefined, "./a"]],
    ["ssh://h/~/-x", ["h", undefined, undefined, "./-x"]],
    ["ssh://h/~ann/x", ["h", undefined, undefined, "/~ann/x"]],
    ["ssh://[::1]:22/a%20b/%C3%A4", ["::1", undefined, 22, "/a b/ä"]],
    ["sftp:///only/a/path", ["", undefined, undefined, "/only/a/path"]],
  ];
  for (const [url, expected] of cases) {
    const { host, user, port, path } = parseSshAddress(url);
    deepStrictEqual([host, user, port, path], expected, url);
  }
  strictEqual(parseSshAddress("sftp://h/a?b=c").parameters.get("b"), "c");
});

Deno.test("addresses that would be an option, or hold a secret, are refused", () => {
  const cases: readonly [string, RegExp][] = [
    ["ssh://-oProxyCommand=x/a", /its host is none$/],
    ["ssh://-l/a", /its host is none$/],
    ["ssh://a%20b/a", /its host is none$/],
    ["ssh://-u@h/a", /its user is none$/],
    ["ssh://u:secret@h/a", /ssh:\/\/u@h\/a: a password has no place in it/],
    ["ssh://h", /it needs a path/],
    ["ssh://h/a#b", /# must be written as %23$/],
    ["ssh://h/a%", /two digits of UTF-8$/],
    ["ssh://h/a%ff", /two digits of UTF-8$/],
    ["ssh://h/a%00b", /its path has a NUL$/],
    ["ssh://h:99999/a", /it is no address$/],
  ];
  for (const [url, message] of cases) {
    throws(() => parseSshAddress(url), (error) => {
      strictEqual(error instanceof StoreError && error.code, "EINVAL");
      strictEqual(message.test((error as Error).message), true, String(error));
      strictEqual(String(error).includes("secret"), false);
      return true;
    });
  }
});

Deno.test("a host without a name has no ssh", () => {
  const address = parseSshAddress("sftp:///a");
  throws(() => sshCommand(address, { subsystem: "sftp" }), /names no host$/);
});

Deno.test("ssh takes the arguments, and a shell the words as they are", () => {
  const words = ["printf", "%s|", "", "a b", "it's", "$HOME", "-n", "*;\n&"];
  const address = parseSshAddress("ssh://ann@h:2222/a");
  const command = sshCommand(address, { words }, ["ssh", "-F", "none"]);
  const said = execFileSync("sh", ["-c", command.at(-1)!], {
    encoding: "utf8",
  });
  strictEqual(said, words.slice(2).map((word) => `${word}|`).join(""));
  // -G prints what holds, and reaches nothing.
  const [program, ...args] = command;
  const holds = execFileSync(program, ["-G", ...args], { encoding: "utf8" });
  for (
    const line of [
      "user ann",
      "hostname h",
      "port 2222",
      "batchmode yes",
      "clearallforwardings yes",
      "serveraliveinterval 15",
    ]
  ) strictEqual(holds.split("\n").includes(line), true, line);
});
