// nginx on loopback for tests, where it is installed.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import process from "node:process";

/** Whether nginx is not there. With `CI` set it has to be. */
export function nginxAbsent(): boolean {
  const isThere = spawnSync("nginx", ["-v"]).status === 0;
  if (!isThere && process.env.CI !== undefined) {
    throw new Error("nginx must be installed where CI is set");
  }
  return !isThere;
}

/** An nginx that is there until the end of its block. */
export class Nginx implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}/`;
  }

  /**
   * Starts one.
   *
   * @param folder Where it may write.
   * @param server What stands in its `server` block.
   */
  static async start(folder: string, server: string): Promise<Nginx> {
    const port = await freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      `${folder}/nginx.conf`,
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
      ${process.getuid?.() === 0 ? "user root;" : ""}
      events { }
      http {
        access_log off; default_type application/octet-stream;
        ${
        temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(
          "\n",
        )
      }
        server { listen 127.0.0.1:${port}; ${server} }
      }`,
    );
    const args = ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"];
    const child = spawn("nginx", args, { stdio: "ignore" });
    while (child.exitCode === null && !await answers(port));
    if (child.exitCode !== null) throw new Error("Cannot start nginx");
    return new Nginx(child, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
