import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import type { Session } from "../session.ts";

/** Differences from this program's own folder and environment. */
export interface RunChildOptions {
  /** The working folder. */
  readonly cwd?: string;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Programs between this one and the one that signals are for, each the only child
   * of the one before.
   *
   * @default {0}
   */
  readonly depth?: number;
}

/**
 * Runs a program in the place of this one: with its stdio, and with the signals
 * that are sent to it.
 *
 * @returns What it answers: 128 and the number of the signal that ended it.
 * @throws {Error} If it cannot be started, with the `code` of the system.
 */
export async function runChild(
  { context }: Session,
  program: string,
  args: readonly string[],
  { cwd, env, depth = 0 }: RunChildOptions = {},
): Promise<number> {
  const child = spawn(program, args, {
    stdio: "inherit",
    cwd,
    env: env && { ...process.env, ...env },
  });
  const giveBack = context.takeSignals?.((name) => {
    // Ctrl-C reaches all programs of a terminal's foreground: it has it already.
    if (name === "SIGINT" && isInForeground()) return;
    // After `child.kill` Deno says that the signal ended it, whatever it did about it.
    try {
      const pid = child.pid && descendant(child.pid, depth);
      if (pid) process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        resolve(signal === null ? code! : 128 + constants.signals[signal]);
      });
    });
  } finally {
    giveBack?.();
  }
}

/** Whether this process is among those to which its terminal sends Ctrl-C. */
function isInForeground(): boolean {
  try {
    // proc(5): the name in parentheses may hold anything, then state, parent, group, session,
    // terminal, and the group in the terminal's foreground.
    const text = readFileSync("/proc/self/stat", "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}

/** The process that is so many generations below another; 0 where it is not there yet. */
function descendant(pid: number, depth: number): number {
  let found = pid;
  for (let i = 0; i < depth; i++) {
    const path = `/proc/${found}/task/${found}/children`;
    found = Number(readFileSync(path, "latin1").split(" ")[0]);
  }
  return found;
}
