// A real sshd on loopback, for one test: its keys, its configuration and the home
// of its logins lie in one temporary folder, and nothing is read from the user's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";

const SSHD = "/usr/sbin/sshd";
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

/** A server that listens. */
export interface Sshd extends AsyncDisposable {
  /** The folder that all of it lies in. */
  readonly folder: string;
  /** What its logins have for `HOME`; what ssh runs begins in the home of the user all the same. */
  readonly home: string;
  /** Where it listens: `127.0.0.1:PORT`. */
  readonly host: string;
  /** The client that knows its key and has one that it knows. */
  readonly ssh: string[];
}

/** What a test may have otherwise. */
export interface SshdOptions {
  /** What the client's configuration says before all else. */
  readonly client?: readonly string[];
  /** What the server's configuration says before all else. */
  readonly server?: readonly string[];
  /** Whether it has the subsystem for files. Default: true. */
  readonly hasSftp?: boolean;
  /** What the shell prints before whatever it runs. */
  readonly greeting?: string;
}

/** Whether a test of it is to be left out, as it is not installed here. */
export function lacksSshd(): boolean {
  return process.env.CI === undefined && !existsSync(SSHD);
}

/** Starts a server, whose end is that of the test. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), "sshd-"));
  const home = `${folder}/home`;
  mkdirSync(home);
  const { greeting } = options;
  if (greeting !== undefined) {
    writeFileSync(`${home}/.bashrc`, `echo '${greeting}'\n`);
  }
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  for (const name of ["host", "user"]) {
    const how = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
    await run("ssh-keygen", how);
  }
  for (;;) {
    const port = await freePort();
    writeFileSync(`${folder}/sshd_config`, serverLines(folder, port, options));
    writeFileSync(`${folder}/ssh_config`, clientLines(folder, options));
    const key = readFileSync(`${folder}/host.pub`, "utf8");
    writeFileSync(`${folder}/known_hosts`, `[127.0.0.1]:${port} ${key}`);
    const server = spawn(SSHD, ["-D", "-e", "-f", `${folder}/sshd_config`], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(server, "close");
    if (!await listens(server.stderr!)) {
      await ended;
      continue; // Somebody else has taken the port meanwhile.
    }
    return {
      folder,
      home,
      host: `127.0.0.1:${port}`,
      ssh: ["ssh", "-F", `${folder}/ssh_config`],
      async [Symbol.asyncDispose]() {
        server.kill();
        await ended;
        rmSync(folder, { recursive: true });
      },
    };
  }
}

function serverLines(
  folder: string,
  port: number,
  { server = [], hasSftp = true }: SshdOptions,
): string {
  return [
    ...server,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/user.pub`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    "PrintMotd no",
    `SetEnv HOME=${folder}/home`,
    ...(hasSftp ? [`Subsystem sftp ${SFTP_SERVER} -d ${folder}/home`] : []),
    "",
  ].join("\n");
}

function clientLines(folder: string, { client = [] }: SshdOptions): string {
  return [
    ...client,
    `IdentityFile ${folder}/user`,
    "IdentitiesOnly yes",
    "IdentityAgent none",
    `UserKnownHostsFile ${folder}/known_hosts`,
    "GlobalKnownHostsFile none",
    "",
  ].join("\n");
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const [code] = await once(
    spawn(program, args, { stdio: "inherit" }),
    "close",
  );
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

/** Waits until a server says that it listens, or has ended. */
async function listens(stderr: NodeJS.ReadableStream): Promise<boolean> {
  let said = "";
  const listening = new Promise<boolean>((resolve) => {
    stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
      if (said.includes("Server listening")) resolve(true);
    }).once("end", () => resolve(false));
  });
  if (await listening) return true;
  if (/Address already in use/.test(said)) return false;
  throw new Error(`sshd does not start: ${said}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
