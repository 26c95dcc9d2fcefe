/**
 * What a mount costs of a store that is far away: behind a link with a delay and
 * a rate, on which nothing else goes.
 *
 * - **first ls**: from the start of the program to the names in the root, in
 *   delays of the link: the time on the slow link less the time on a fast one
 * - **a large file**: read from its beginning to its end, in parts of the rate
 * - **4 KiB at random places**: requests a read, and how long one takes
 *
 * `deno task bench far_mount [--runs 3]`; `--small` only shows that it runs.
 *
 * @module
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { nativeHasher } from "@snap/hash/native";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { nodeListener, serveStore } from "@snap/store/serve";
import { ROOT } from "../_tools/workspace.ts";
import { SlowLink } from "../tests/_slow_link.ts";
import { benchArguments } from "./_arguments.ts";
import { withFolder } from "./_folder.ts";

const DELAY_MS = 50;
const BYTES_PER_SECOND = 20e6;
const READ_SIZE = 4096;
/** Reads at random places that are under way at once. */
const READERS = 16;

interface Size {
  readonly fileSize: number;
  readonly readCount: number;
}

const FULL: Size = { fileSize: 128 * 2 ** 20, readCount: 320 };
const SMALL: Size = { fileSize: 16 * 2 ** 20, readCount: 32 };

/** A store behind a server, and how many requests it had. */
interface Served extends AsyncDisposable {
  readonly port: number;
  requestCount: number;
}

/** Saves a large file beside some small ones, and serves the store. */
async function serve(folder: string, { fileSize }: Size): Promise<Served> {
  const source = `${folder}/source`;
  Deno.mkdirSync(source);
  const noise = new Uint8Array(1 << 16);
  using file = Deno.openSync(`${source}/large`, { create: true, write: true });
  for (let at = 0; at < fileSize; at += noise.length) {
    file.writeSync(crypto.getRandomValues(noise));
  }
  for (let i = 0; i < 100; i++) {
    Deno.writeTextFileSync(`${source}/${i}`, `file ${i}`);
  }
  const store = await openFileStore(`${folder}/store`, { create: true });
  await initStore(store, formatSettings(DEFAULT_SETTINGS));
  const snapshots = await openSnapshots(store, { hasher: nativeHasher() });
  const { errors } = await save(snapshots, source, { workers: 2 });
  deepStrictEqual(errors, []);
  await snapshots[Symbol.asyncDispose]();
  const listener = nodeListener(
    serveStore(store, { access: { loopback: "read" } }),
  );
  const server = createServer((incoming, outgoing) => {
    served.requestCount++;
    listener(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const served = {
    port,
    requestCount: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

/** A mount of the newest snapshot by the program. */
async function mounted(
  folder: string,
  port: number,
  use: (point: string, pid: number) => Promise<void>,
): Promise<void> {
  const point = `${folder}/mount`;
  Deno.mkdirSync(point, { recursive: true });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", `${ROOT}cli/main.ts`, "mount", "--foreground"],
      ...["--no-cache", "--any", "--store", `http://127.0.0.1:${port}/`],
      ...["latest", point],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const { value } = await child.stdout.getReader().read();
    ok(value !== undefined, "nothing was mounted");
    await use(point, child.pid);
  } finally {
    child.kill("SIGINT");
    await child.status;
  }
}

async function bash(script: string, env: Record<string, string>) {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script],
    env,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  ok(success, text.decode(stderr));
  return text.decode(stdout);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** The largest memory that a process has had, in bytes. */
function peakOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmHWM:\s*(\d+)/.exec(status)![1]) * 1024;
}

/** Figures of one round. */
interface Figures {
  readonly delays: number;
  readonly ratePart: number;
  readonly requestsPerRead: number;
  readonly readMs: number;
  readonly peak: number;
}

async function measure(
  folder: string,
  served: Served,
  size: Size,
): Promise<Figures> {
  const link = { port: served.port, bytesPerSecond: BYTES_PER_SECOND };
  const listMs = async (delayMs: number): Promise<number> => {
    await using slow = new SlowLink({ ...link, delayMs });
    const port = await slow.listen();
    const start = performance.now();
    let ms = 0;
    await mounted(folder, port, async (point) => {
      await bash("ls $POINT", { POINT: point });
      ms = performance.now() - start;
    });
    return ms;
  };
  const delays = (await listMs(DELAY_MS) - await listMs(0)) / DELAY_MS;
  await using slow = new SlowLink({ ...link, delayMs: DELAY_MS });
  const port = await slow.listen();
  let fileMs = 0, readMs = 0, requestsPerRead = 0, peak = 0;
  await mounted(folder, port, async (point, pid) => {
    const places = Array.from(
      { length: size.readCount },
      () => Math.floor(Math.random() * size.fileSize / READ_SIZE),
    );
    served.requestCount = 0;
    const env = { POINT: point, PLACES: places.join("\n") };
    const ms = await timed(() =>
      bash(
        `echo "$PLACES" | xargs -P${READERS} -I{} dd if="$POINT/large" bs=${READ_SIZE} skip={} count=1 iflag=direct of=/dev/null status=none`,
        env,
      )
    );
    readMs = ms * READERS / size.readCount;
    requestsPerRead = served.requestCount / size.readCount;
    peak = peakOf(pid);
  });
  await mounted(folder, port, async (point, pid) => {
    let said = "";
    fileMs = await timed(async () =>
      said = await bash(`sha256sum < "$POINT/large"`, { POINT: point })
    );
    const hash = createHash("sha256");
    for await (const part of Deno.openSync(`${folder}/source/large`).readable) {
      hash.update(part);
    }
    ok(said.startsWith(hash.digest("hex")), "wrong bytes were read");
    peak = Math.max(peak, peakOf(pid));
  });
  const ratePart = size.fileSize / (fileMs / 1000) / BYTES_PER_SECOND;
  return { delays, ratePart, requestsPerRead, readMs, peak };
}

if (import.meta.main) {
  const { runCount, size } = benchArguments(Deno.args, "source");
  const sizes = size === "small" ? SMALL : FULL;
  await withFolder(async (folder) => {
    await using served = await serve(folder, sizes);
    console.log(
      `${DELAY_MS} ms, ${BYTES_PER_SECOND / 1e6} MB/s, ${READERS} readers`,
    );
    for (let i = 0; i < runCount; i++) {
      const one = await measure(folder, served, sizes);
      console.log(
        [
          `first ls ${one.delays.toFixed(1)} delays`,
          `large file ${Math.round(one.ratePart * 100)} % of the rate`,
          `4 KiB: ${one.requestsPerRead.toFixed(2)} requests`,
          `${one.readMs.toFixed(0)} ms a read`,
          `peak ${Math.round(one.peak / 1e6)} MB`,
        ].join(", "),
      );
    }
  });
}
