import { StoreError } from "../errors.ts";
import type { SshAddress } from "./ssh_address.ts";

/** The program that {@link sshCommand} runs on the other host. */
export type SshTask =
  /** A subsystem, such as `sftp`. */
  | { readonly subsystem: string }
  /** A program and its arguments, which the shell there takes as they are. */
  | { readonly words: readonly string[] };

/** Nothing is asked, nothing is waited for without end, and nothing but the one pipe is opened. */
const OPTIONS: readonly string[] = [
  "BatchMode=yes",
  "ConnectTimeout=20",
  "ServerAliveInterval=15",
  "ServerAliveCountMax=3",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
];

/**
 * The command that runs something on another host through the user's own `ssh`,
 * with the keys, the known hosts and the configuration that it has.
 *
 * @example The subsystem for files
 * ```ts
 * import { parseSshAddress, sshCommand } from "@snap/store/ssh";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const address = parseSshAddress("sftp://backup.example/srv/snaps");
 * const command = sshCommand(address, { subsystem: "sftp" });
 * deepStrictEqual(command.slice(-4), ["-s", "--", "backup.example", "sftp"]);
 * ```
 *
 * @param address Where.
 * @param task What.
 * @param ssh The program, and arguments before all others. Default: `ssh`.
 * @returns The program and its arguments.
 * @throws {StoreError} If the address has no host.
 */
export function sshCommand(
  address: SshAddress,
  task: SshTask,
  ssh: readonly string[] = ["ssh"],
): string[] {
  const { host, user, port, location } = address;
  if (host === "") {
    throw new StoreError(`Cannot open ${location}: it names no host`, {
      code: "EINVAL",
      action: "open",
    });
  }
  return [
    ...ssh,
    ...OPTIONS.flatMap((option) => ["-o", option]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    "-T",
    ...("subsystem" in task ? ["-s"] : []),
    "--",
    host,
    "subsystem" in task ? task.subsystem : task.words.map(quoted).join(" "),
  ];
}

/** A word that a shell takes as it is. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
