// Stands in the place of ssh: runs what it was given here, and carries the bytes.
// When so many have passed it kills one side, once: who runs it, or what it runs.
//   deno run -A tests/_kill_relay.ts PLAN [OPTION]... HOST COMMAND
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

/** What goes wrong, in a file. */
export interface KillPlan {
  /** Bytes, in both directions, before somebody is killed. */
  readonly at: number;
  /** Who, and how. */
  readonly how: "client" | "server" | "interrupt";
  /** A file that is there when it has happened. */
  readonly mark: string;
  /** A file that gets a line `begun`, and one of how many bytes went up and came down. */
  readonly log: string;
}

if (import.meta.main) relay(readPlan(process.argv[2]), process.argv.at(-1)!);

function readPlan(path: string): KillPlan {
  return JSON.parse(readFileSync(path, "utf8"));
}

function relay(plan: KillPlan, command: string): void {
  appendFileSync(plan.log, "begun\n");
  const child = spawn("sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let up = 0, down = 0;
  const look = (): void => {
    if (up + down < plan.at || !makes(plan.mark)) return;
    if (plan.how === "server") child.kill("SIGKILL");
    else {
      process.kill(
        process.ppid,
        plan.how === "client" ? "SIGKILL" : "SIGINT",
      );
    }
  };
  process.stdin.on("data", (chunk) => {
    up += chunk.length;
    look();
  });
  child.stdout.on("data", (chunk) => {
    down += chunk.length;
    look();
  });
  // Where one side is gone the other one must hear of it.
  child.stdin.on("error", () => {});
  process.stdout.on("error", () => child.stdout.destroy());
  process.stdin.pipe(child.stdin);
  child.stdout.pipe(process.stdout);
  child.once("close", () => {
    appendFileSync(plan.log, `${up} ${down}\n`);
    process.exit();
  });
}

/** Makes a file; tells whether it was absent. */
function makes(path: string): boolean {
  try {
    writeFileSync(path, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}
