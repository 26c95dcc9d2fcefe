// Stores on another host, which is this one: the real program, the user's ssh and
// a real sshd, with this program there (ssh://) and without it (sftp://).
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { ROOT } from "../_tools/workspace.ts";
import { denoFolder, type Outcome, run } from "./_run.ts";
import { noise, TemporaryFolder } from "./_snapshots.ts";
import { lacksSshd, type Sshd, type SshdOptions, startSshd } from "./_sshd.ts";

const MAIN = `${Deno.execPath()} run -A --no-check ${ROOT}cli/main.ts`;
const ignore = lacksSshd();

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** A user who saves to a host, and has nothing else. */
class Scene implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly #sshd: Sshd;

  private constructor(sshd: Sshd) {
    this.#sshd = sshd;
    mkdirSync(this.at("source/sub"), { recursive: true });
    writeFileSync(this.at("source/hello.txt"), "hello");
    writeFileSync(this.at("source/sub/noise"), noise(3_000_000, 7));
  }

  static async start(options?: SshdOptions): Promise<Scene> {
    return new Scene(await startSshd(options));
  }

  at(name: string): string {
    return this.#folder.join(name);
  }

  /** The address of a store there. */
  address(scheme: string, name = "snaps"): string {
    return `${scheme}://${this.#sshd.host}${this.#sshd.folder}/${name}`;
  }

  get #env(): Record<string, string> {
    const path = this.#folder.path;
    return {
      HOME: path,
      XDG_CACHE_HOME: `${path}/cache`,
      DENO_DIR: denoFolder(),
      SNAP_SSH: this.#sshd.ssh.join(" "),
      SNAP_REMOTE_COMMAND: `env DENO_DIR=${denoFolder()} ${MAIN}`,
    };
  }

  /** Runs a command of the program. */
  async snap(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Outcome> {
    return await run([...MAIN.split(" "), ...args], {
      cwd: this.#folder.path,
      env: { ...this.#env, ...env },
    });
  }

  /** Begins a command of the program that is to be killed. */
  begin(args: readonly string[]): Deno.ChildProcess {
    const [program, ...words] = MAIN.split(" ");
    return new Deno.Command(program, {
      args: [...words, ...args],
      cwd: this.#folder.path,
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Runs a command that has to succeed, and gives what it printed. */
  async well(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<string> {
    const { code, stdout, stderr } = await this.snap(args, env);
    strictEqual(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sshd[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

for (const scheme of ["ssh", "sftp"]) {
  test(`a snapshot goes to a host and comes back, over ${scheme}`, async () => {
    await using scene = await Scene.start();
    const store = scene.address(scheme);
    await scene.well(["init", store]);
    const env = { SNAP_STORE: store };
    const id = await scene.well(["save", "source", "--tag", "main"], env);
    strictEqual(await scene.well(["save", "source"], env), id);
    match(await scene.well(["log", "--any"], env), /source/);
    strictEqual(await scene.well(["cat", "main:hello.txt"], env), "hello");
    match(await scene.well(["ls", "main"], env), /^hello\.txt\nsub\/?\n/);
    strictEqual(await scene.well(["diff", "main", "source"], env), "");
    await scene.well(["verify", "--data"], env);
    await scene.well(["restore", "main", "out"], env);
    deepStrictEqual(
      Deno.readFileSync(scene.at("out/sub/noise")),
      Deno.readFileSync(scene.at("source/sub/noise")),
    );
    match(
      await scene.well(["stats"], env),
      new RegExp(`^store\\t${store}$`, "m"),
    );
  });
}

test("a store over SFTP is a store over ssh, and a folder there", async () => {
  await using scene = await Scene.start();
  await scene.well(["init", scene.address("sftp")]);
  const id = await scene.well([
    "save",
    "source",
    "--store",
    scene.address("sftp"),
  ]);
  const ids = await scene.well([
    "log",
    "--any",
    "--store",
    scene.address("ssh"),
  ]);
  strictEqual(ids.split("\t")[0], id.trim());
  await scene.well(["verify", "--data", "--store", scene.address("ssh")]);
});

test("a store is wherever rclone reaches, for a single writer", async () => {
  await using scene = await Scene.start();
  mkdirSync(scene.at("cloud"));
  const env = {
    SNAP_SFTP_COMMAND: `rclone --config= serve sftp --stdio ${
      scene.at("cloud")
    }`,
  };
  const refused = await scene.snap(["init", "sftp:///"], env);
  strictEqual(refused.code, 1);
  match(
    refused.stderr,
    /cannot create only what is absent, .*\n +hint: --single-writer /,
  );
  const store = "sftp:///?single-writer";
  await scene.well(["init", store], env);
  const id = await scene.well(["save", "source", "--store", store], env);
  match(
    await scene.well(["log", "--any", "--store", store], env),
    new RegExp(id.trim()),
  );
  await scene.well(["verify", "--data", "--store", store], env);
});

test("a save over SFTP that is killed leaves nothing behind the next", async () => {
  await using scene = await Scene.start();
  const store = scene.address("sftp", "killed");
  await scene.well(["init", store]);
  const there = `${new URL(store).pathname}`;
  const spool = scene.at("cache/snap/spool/files");
  writeFileSync(scene.at("source/large"), noise(40_000_000, 8));
  for (const [folder, name] of [[spool, /-/], [`${there}/tmp`, /-/]] as const) {
    const child = scene.begin(["save", "source", "--store", store]);
    while (!namesIn(folder).some((one) => name.test(one))) await turn();
    child.kill("SIGKILL");
    await child.status;
  }
  strictEqual(namesIn(spool).length > 0, true);
  const id = await scene.well(["save", "source", "--store", store]);
  await scene.well(["verify", "--data", "--store", store]);
  match(
    await scene.well(["log", "--any", "--store", store]),
    new RegExp(`^${id.trim()}\\t.*\n$`),
  );
  deepStrictEqual(namesIn(spool), []);
  deepStrictEqual(namesIn(`${there}/tmp`), []);
});

/** What is wrong with a host, and what is said of it, over both. */
const FAULTS: Readonly<
  Record<string, { options: SshdOptions; says: RegExp; hint: RegExp }>
> = {
  "an unknown host": {
    options: { client: ["UserKnownHostsFile none"] },
    says: /Host key verification failed\. \(EHOSTKEY\)/,
    hint: /ssh to the host once by hand/,
  },
  "a host that would ask for a password": {
    options: {
      server: ["AuthorizedKeysFile none", "PasswordAuthentication yes"],
    },
    says: /Permission denied \(publickey,password\)\. \(EACCES\)/,
    hint: /nothing is asked here: add the key to ssh-agent/,
  },
  "a shell that greets": {
    options: { greeting: "Welcome to the host" },
    says: /found "Welcome|text: "Welcome to the host"/,
    hint: /the shell there/,
  },
};
for (const [title, { options, says, hint }] of Object.entries(FAULTS)) {
  test(`a command says what is wrong with ${title}`, async () => {
    await using scene = await Scene.start(options);
    for (const scheme of ["ssh", "sftp"]) {
      const store = scene.address(scheme);
      // A clone, as a push, speaks by messages; what opens the line is the same.
      const { code, stdout, stderr } = await scene.snap(
        scheme === "ssh" ? ["clone", store, "copy"] : ["log", "--store", store],
      );
      strictEqual(code, 1);
      strictEqual(stdout, "");
      const [message, advice, ...rest] = stderr.trimEnd().split("\n");
      match(message, /^snap: Cannot (open|reach) /);
      match(message, says);
      match(advice, /^ {2}hint: /);
      match(advice, hint);
      deepStrictEqual(rest, []);
      strictEqual(existsSync(scene.at("copy")), false);
    }
  });
}

test("a command says that a host lacks the program, a store, an answer", async () => {
  await using scene = await Scene.start();
  const log = async (store: string, env?: Record<string, string>) => {
    const { code, stderr } = await scene.snap(["log", "--store", store], env);
    strictEqual(code, 1);
    return stderr;
  };
  match(
    await log(scene.address("ssh"), { SNAP_REMOTE_COMMAND: "no-such-snap" }),
    /no-such-snap: command not found .*\n +hint: the program has to be in the PATH of the other host\n/,
  );
  for (const scheme of ["ssh", "sftp"]) {
    match(
      await log(scene.address(scheme, "nothing")),
      /as a store: .*hint: snap init/s,
    );
    match(
      await log(`${scheme}://127.0.0.1:1/x`),
      /Connection refused \(ECONNREFUSED\)/,
    );
    match(await log(`${scheme}://-oProxyCommand=x/x`), /its host is none/);
  }
  deepStrictEqual(readdirSync(scene.at(".")).includes("x"), false);
});

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}
