import { readFileSync } from "node:fs";

/** Ticks of a processor in a second, by which the kernel counts. */
const TICKS = 100;

/**
 * Returns the processor time of a process so far.
 *
 * @param pid The process.
 * @returns User and system time of all its threads in seconds.
 */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
