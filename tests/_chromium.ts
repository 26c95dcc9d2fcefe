// A browser without a screen, for tests of what runs in one.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const PROGRAM = "chromium";
/** Resolves to the page when its program says that it is through. */
const READY = `new Promise((resolve) => {
  const look = () => document.body?.dataset.state === "ready"
    ? resolve(document.documentElement.outerHTML)
    : setTimeout(look, 10);
  look();
})`;

/** Whether there is no browser. With `CI` set there has to be one. */
export function chromiumAbsent(): boolean {
  const isThere = spawnSync(PROGRAM, ["--version"]).status === 0;
  if (!isThere && Deno.env.get("CI") !== undefined) {
    throw new Error("chromium must be installed where CI is set");
  }
  return !isThere;
}

/** A browser that is there until the end of its block. */
export class Chromium implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** Where it is asked for pages. */
  readonly #base: string;

  private constructor(child: Deno.ChildProcess, base: string) {
    this.#child = child;
    this.#base = base;
  }

  /**
   * Starts one.
   *
   * @param profile A folder of its own.
   */
  static async start(profile: string): Promise<Chromium> {
    const args = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
    ];
    const child = new Deno.Command(PROGRAM, {
      args,
      env: { HOME: profile },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return new Chromium(child, await baseOf(profile, child));
  }

  /**
   * Opens a page, and waits until `data-state` of its body is `ready`.
   *
   * @returns Its elements, as text.
   */
  async open(url: string): Promise<string> {
    const path = `${this.#base}/json/new?${encodeURIComponent(url)}`;
    const made = await (await fetch(path, { method: "PUT" })).json();
    const socket = new WebSocket(made.webSocketDebuggerUrl);
    const answer = Promise.withResolvers<string>();
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.onerror = () => answer.reject(new Error(`Cannot open ${url}`));
    const params = {
      expression: READY,
      awaitPromise: true,
      returnByValue: true,
    };
    const ask = () =>
      socket.send(
        JSON.stringify({ id: 1, method: "Runtime.evaluate", params }),
      );
    socket.onopen = ask;
    socket.onmessage = ({ data }) => {
      const value = JSON.parse(data).result?.result.value;
      if (typeof value === "string") answer.resolve(value);
      else ask(); // The empty page that was there before has gone.
    };
    try {
      return await answer.promise;
    } finally {
      socket.close();
      await closed;
    }
  }

  /** Ends it. After a signal its children would still write into the profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    const version = await fetch(`${this.#base}/json/version`);
    const socket = new WebSocket((await version.json()).webSocketDebuggerUrl);
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.onopen = () =>
      socket.send(JSON.stringify({ id: 1, method: "Browser.close" }));
    await this.#child.status;
    await closed;
  }
}

/** Waits until it says in a file where it listens. */
async function baseOf(
  profile: string,
  child: Deno.ChildProcess,
): Promise<string> {
  let isOver = false;
  void child.status.then(() => isOver = true);
  for (;;) {
    const path = `${profile}/DevToolsActivePort`;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const [, port] = /^(\d+)\n/.exec(text) ?? [];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
    if (isOver) throw new Error(`Cannot start ${PROGRAM}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
