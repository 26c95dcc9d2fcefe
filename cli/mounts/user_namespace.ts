import { posix } from "@snap/posix";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";

/** Unmounting outside unmounts inside too, or the mount would be held here. */
const MOUNTS = ["--mount", "--propagation", "slave"];
/** For root: nothing but the mounts are apart. */
const AS_ROOT = MOUNTS;
/** With the own user id, as util-linux can from 2.38 on; else as root of a namespace. */
const AS_USER = [
  ["--user", "--map-current-user", "--keep-caps", ...MOUNTS],
  ["--user", "--map-root-user", ...MOUNTS],
];

/** Switches of the kernel that keep users from making namespaces, and how to set them. */
const BANS = [
  [
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "1",
    "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give unshare an AppArmor profile with userns",
  ],
  [
    "/proc/sys/kernel/unprivileged_userns_clone",
    "0",
    "as root: sysctl -w kernel.unprivileged_userns_clone=1",
  ],
  [
    "/proc/sys/user/max_user_namespaces",
    "0",
    "as root: sysctl -w user.max_user_namespaces=10000",
  ],
] as const;

/**
 * Finds out how this user can have a namespace with mounts of its own.
 *
 * @returns Options of unshare(1).
 * @throws {CommandError} If it cannot be had; its hint says what to do.
 */
export async function findNamespace(): Promise<readonly string[]> {
  const isRoot = posix?.geteuid() === 0;
  let found = "";
  for (const options of [...isRoot ? [AS_ROOT] : [], ...AS_USER]) {
    const said = await tryOut(options);
    if (said === "") return options;
    // What fails first is what should have gone well.
    found ||= said;
  }
  throw new CommandError(
    `Cannot exec without a user namespace: ${found}`,
    `${hintOf()}; or use ${COMMAND} mount`,
  );
}

/** Whoever is the first process in it ends all others by its own end. */
const PROCESSES = ["--pid", "--fork", "--kill-child"];

/**
 * Finds out how a command can have a namespace of processes, so that what it leaves
 * running can be ended.
 *
 * @returns Options of unshare(1).
 * @throws {CommandError} If it cannot be had.
 */
export async function findProcessNamespace(): Promise<readonly string[]> {
  // A container may keep /proc from being mounted anew: then it shows other numbers.
  for (const options of [[...PROCESSES, "--mount-proc"], PROCESSES]) {
    if (await tryOut(options) === "") return options;
  }
  throw new CommandError(
    "Cannot exec --save without a namespace of processes: what the command leaves running could not be ended",
    hintOf(),
  );
}

/** Makes a namespace and leaves it. Returns what went wrong, nothing if it went well. */
function tryOut(options: readonly string[]): Promise<string> {
  const child = spawn("unshare", [...options, "--", "true"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr!.on("data", (bytes: Uint8Array) => {
    said += new TextDecoder().decode(bytes);
  });
  return new Promise((resolve, reject) => {
    child.on("error", (error: Error & { readonly code?: string }) => {
      reject(
        error.code !== "ENOENT" ? error : new CommandError(
          "Cannot exec: the program unshare is not installed",
          `install util-linux, or use ${COMMAND} mount`,
        ),
      );
    });
    child.on("close", (code) => {
      const text = said.trim().split("\n")[0].replace(/^\S*unshare: /, "");
      resolve(code === 0 ? "" : text || `ended with exit code ${code}`);
    });
  });
}

function hintOf(): string {
  for (const [path, value, hint] of BANS) {
    try {
      if (readFileSync(path, "utf8").trim() === value) return hint;
    } catch {
      // This kernel has no such switch.
    }
  }
  return "a container needs --cap-add SYS_ADMIN, or a seccomp profile that allows unshare";
}
