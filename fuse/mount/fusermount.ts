import type { ChildProcess } from "node:child_process";
import { ENODATA, errnoMessage } from "@snap/posix/constants";
import type { Posix } from "@snap/posix";
import { type MountRequest, unmountError } from "./mount_point.ts";
import { MountError } from "./mount_error.ts";

/** Helpers that mount for users, the newer one first. */
const PROGRAMS = ["fusermount3", "fusermount"];

/**
 * Mounts as an ordinary user: a helper that runs as root does it, and sends the descriptor.
 *
 * @throws {MountError} If it cannot be mounted; the hint says what to do.
 */
export async function mountByFusermount(
  posix: Posix,
  request: MountRequest,
): Promise<number> {
  const { path, source, allowOther } = request;
  const options = [
    `fsname=${source}`,
    "subtype=snap",
    "ro",
    ...allowOther ? ["allow_other", "default_permissions"] : [],
  ];
  const pair = new Int32Array(2);
  const made = posix.socketPair(pair);
  if (made < 0) {
    throw new MountError("FAILED", `Cannot mount: ${errnoMessage(made)}`, {
      hint: "close files that are open",
    });
  }
  const [ours, theirs] = pair;
  try {
    const args = ["-o", options.join(","), "--", path];
    const said = await run(PROGRAMS, args, theirs);
    if (said === undefined) throw noFusermount();
    const given = posix.receiveFd(ours);
    if (given >= 0) return given;
    const found = said || errnoMessage(given === -ENODATA ? 0 : given);
    throw fusermountError(path, found);
  } finally {
    posix.close(ours);
    posix.close(theirs);
  }
}

/**
 * Unmounts by another program: that of root, else the helper for users.
 *
 * @param path An absolute path.
 * @throws {MountError} If it cannot be unmounted.
 */
export async function unmountByProgram(
  path: string,
  isLazy: boolean,
): Promise<void> {
  const rights = await run(["umount"], [...isLazy ? ["-l"] : [], "--", path]);
  if (rights === "") return;
  const helped = /superuser|not permitted|fstab/i.test(rights ?? "superuser");
  const found = helped
    ? await run(PROGRAMS, [isLazy ? "-uz" : "-u", "--", path]) ?? rights
    : rights;
  if (found === "") return;
  const text = found ?? `no program ${PROGRAMS[0]}`;
  const isAbsent = /not (found|mounted)|invalid argument/i.test(text);
  const code = /busy/i.test(text)
    ? "BUSY"
    : isAbsent
    ? "NOT_MOUNTED"
    : "FAILED";
  throw unmountError(path, code, `it was refused: ${text}`);
}

/**
 * Runs the first of some programs that there is.
 *
 * @returns What it complained of, nothing if it went well; `undefined` if there is none.
 */
async function run(
  programs: readonly string[],
  args: string[],
  socket?: number,
): Promise<string | undefined> {
  const { spawn } = await import("node:child_process");
  const { env } = await import("node:process");
  for (const program of programs) {
    const stdio: ("ignore" | "pipe" | number)[] = ["ignore", "ignore", "pipe"];
    if (socket !== undefined) stdio.push(socket);
    const child = spawn(program, args, {
      stdio,
      env: { ...env, LC_ALL: "C", _FUSE_COMMFD: "3" },
    });
    const said = await ending(child);
    if (said !== undefined) return said;
  }
  return undefined;
}

/** Waits for a program; nothing if there is no such program. */
function ending(child: ChildProcess): Promise<string | undefined> {
  let said = "";
  child.stderr!.on("data", (bytes: Uint8Array) => {
    said += new TextDecoder().decode(bytes);
  });
  return new Promise((resolve, reject) => {
    child.on("error", (error: Error & { readonly code?: string }) => {
      if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.on("close", (code) => {
      const text = said.trim().replace(/^\S*fusermount3?: /, "");
      resolve(code === 0 ? "" : text || `exit code ${code}`);
    });
  });
}

function noFusermount(): MountError {
  return new MountError(
    "NO_FUSERMOUNT",
    `Cannot mount: only root can without ${
      PROGRAMS[0]
    }, which is not installed`,
    { hint: "install it, such as by: apt install fuse3; or run as root" },
  );
}

function fusermountError(path: string, found: string): MountError {
  const message = `Cannot mount on ${path}: ${PROGRAMS[0]} refuses: ${found}`;
  if (/allow_other/.test(found)) {
    return new MountError("NO_ALLOW_OTHER", message, {
      hint: "let users do so by a line user_allow_other in /etc/fuse.conf",
    });
  }
  if (/\/dev\/fuse/.test(found)) {
    return new MountError("NO_PERMISSION", message, {
      hint: "as root, let users open it by: chmod 666 /dev/fuse",
    });
  }
  return new MountError("NO_PERMISSION", message, {
    hint: /access/.test(found)
      ? "choose a directory that you may write to"
      : "mount as root, or ask the administrator of this machine",
  });
}
