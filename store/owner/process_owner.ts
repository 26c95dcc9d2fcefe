import { nodeModule } from "../node_module.ts";

const { createHash } = nodeModule("node:crypto");
const { readFileSync } = nodeModule("node:fs");
const { hostname } = nodeModule("node:os");

/** A process, so that others can tell whether it still runs. */
export interface Owner {
  /** Stands for the machine. */
  readonly host: string;
  /** Stands for the time since it was started. */
  readonly boot: string;
  readonly pid: number;
  /** When the process began, as the system counts. */
  readonly start: string;
}

const PATTERN = /^([0-9a-f]{8})-([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9]{1,20})$/;

/** This process. */
export function thisOwner(): Owner {
  const boot = readText("/proc/sys/kernel/random/boot_id") ?? "";
  const { pid } = process;
  return {
    host: shortHash(hostname()),
    boot: shortHash(boot),
    pid,
    start: startOf(pid) ?? "0",
  };
}

/** An owner as a part of the name of a file. */
export function ownerText({ host, boot, pid, start }: Owner): string {
  return `${host}-${boot}-${pid}-${start}`;
}

/** Reads an owner; undefined if the text is none. */
export function parseOwner(text: string): Owner | undefined {
  const found = PATTERN.exec(text);
  if (found === null) return undefined;
  const [, host, boot, pid, start] = found;
  return { host, boot, pid: Number(pid), start };
}

/** Whether a process is certainly gone. Of those of other machines nobody knows here. */
export function isGone(owner: Owner): boolean {
  const here = thisOwner();
  if (owner.host !== here.host) return false;
  if (owner.boot !== here.boot) return true;
  const start = startOf(owner.pid);
  if (start !== undefined) return start !== owner.start;
  try {
    globalThis.process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === "ESRCH";
  }
}

/** When a process began, in ticks since the machine was started, on Linux. */
function startOf(pid: number): string | undefined {
  // The name of the program stands in brackets and may hold anything.
  const text = readText(`/proc/${pid}/stat`)?.replace(/^.*\) /s, "");
  return text?.split(" ").at(19);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
