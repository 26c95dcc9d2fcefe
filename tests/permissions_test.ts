// docs/PERMISSIONS.md: each command runs with exactly the flags that stand there.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readText, ROOT } from "../_tools/workspace.ts";
import { mountTest } from "./_mount.ts";
import { TemporaryFolder } from "./_snapshots.ts";

const MAIN = join(ROOT, "cli/main.ts");
const TEXT = readText("docs/PERMISSIONS.md");

interface Row {
  /** As in the document, without the name of the program. */
  readonly command: string;
  /** Permissions, each with what it is given for. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

const allRows: Row[] = [
  ...TEXT.matchAll(/^\| `snap ([^`]+)` *\| (?:`([^`]*)`)? *\|$/gm),
]
  .map(([, command, flags = ""]) => ({
    command,
    flags: new Map(
      flags.split(" ").filter((flag) => flag !== "").map((flag) => {
        const [name, values = ""] = flag.split("=");
        return [name, values.split(",").filter((value) => value !== "")];
      }),
    ),
  }));

/** Whether a command is about mounts, which not every machine lets one make. */
function isOfMounts({ command }: Row): boolean {
  return /^(mount|umount|exec)\b/.test(command);
}

const mountRows = allRows.filter(isOfMounts);
const rows = allRows.filter((row) => !isOfMounts(row));

const COPY = { recursive: true };
const PLACES: Readonly<Record<string, string>> = {
  ARCHIVE: "archive",
  DIR: "dir",
  CLONE: "clone",
  MOUNT: "mount",
  OTHER: "other",
  PARENT: ".",
  STORE: "store",
  TARGET: "target",
  UPPER: "upper",
};

/** A directory, and a store that has it. */
class Scene implements Disposable {
  // Not in /dev/shm, of which Deno wants all permissions.
  readonly #folder = new TemporaryFolder(tmpdir());

  /** Puts paths in the place of the words of the document. */
  place(text: string): string {
    return text.replace(
      /\b(ARCHIVE|CLONE|DIR|MOUNT|OTHER|PARENT|STORE|TARGET|UPPER)\b/g,
      (word) => this.#folder.join(PLACES[word]),
    ).replace(/\bHOST:PORT\b/, "127.0.0.1:0").replace(
      /\bDENO\b/,
      Deno.execPath(),
    ).replace(/\bTMP\b/, tmpdir());
  }

  /** Makes what all commands start from. */
  static async make(): Promise<Scene> {
    const scene = new Scene();
    mkdirSync(scene.place("DIR"));
    mkdirSync(scene.place("MOUNT"));
    writeFileSync(scene.place("DIR/a"), "alpha\n");
    await scene.run(["-A"], "init STORE");
    await scene.run(["-A"], "save --tag main DIR");
    await scene.run(["-A"], "export main --as tar ARCHIVE");
    cpSync(scene.place("STORE"), scene.#folder.join("copy"), COPY);
    await scene.run(["-A"], "init OTHER");
    cpSync(scene.place("OTHER"), scene.#folder.join("empty"), COPY);
    // Another store with a snapshot of its own.
    rmSync(scene.place("STORE"), COPY);
    cpSync(scene.#folder.join("empty"), scene.place("STORE"), COPY);
    await scene.run(["-A"], "save --tag other DIR");
    cpSync(scene.place("STORE"), scene.#folder.join("apart"), COPY);
    return scene;
  }

  /** Makes what a command starts from. */
  reset(command: string): void {
    for (const word of ["CLONE", "OTHER", "STORE", "TARGET"]) {
      rmSync(this.place(word), { recursive: true, force: true });
    }
    if (command.startsWith("init ")) return;
    const [name] = command.split(" ");
    const [store, other] = name === "pull"
      ? ["empty", "copy"]
      : ["copy", name === "push" ? "empty" : "apart"];
    cpSync(this.#folder.join(store), this.place("STORE"), COPY);
    cpSync(this.#folder.join(other), this.place("OTHER"), COPY);
    // Nothing is written where there is nothing to repair.
    if (command === "repair index") {
      rmSync(this.place("STORE/index"), { recursive: true });
      mkdirSync(this.place("STORE/index"));
    } else if (/^repair (packs|snapshots)/.test(command)) {
      this.#damage(command === "repair packs");
    } else if (command.startsWith("commit")) {
      this.#write();
    } else if (command === "recover") {
      rmSync(this.place("STORE/snapshots"), { recursive: true });
      mkdirSync(this.place("STORE/snapshots"));
    }
  }

  /** Makes what a mount that was written to leaves behind. */
  #write(): void {
    const [upper, snapshots] = ["UPPER", "STORE/snapshots"].map((word) =>
      this.place(word)
    );
    mkdirSync(`${upper}/upper`, { recursive: true });
    const [id, record] = readdirSync(snapshots)[0].split("-");
    const notes = { v: 1, id, record, store: "", mountpoint: upper };
    writeFileSync(`${upper}/overlay.json`, JSON.stringify(notes));
  }

  /** Cuts the end off each pack, or removes those of data. */
  #damage(isCut: boolean): void {
    const packs = this.place("STORE/packs");
    for (const name of readdirSync(packs, { recursive: true })) {
      const path = `${packs}/${name}`;
      if (statSync(path).isDirectory()) continue;
      const isData = readFileSync(path).at(-16) === 1;
      chmodSync(path, 0o600);
      if (isCut) truncateSync(path, statSync(path).size - 1);
      else if (isData) rmSync(path);
    }
  }

  /** The words of a command line. */
  words(flags: readonly string[], command: string): string[] {
    const store = /^(init|version|completions|help|sync|clone)/.test(command)
      ? []
      : ["--store", this.place("STORE")];
    const words = this.place(command).split(" ");
    return [Deno.execPath(), "run", ...flags, MAIN, ...store, ...words];
  }

  async run(flags: readonly string[], command: string) {
    const [program, ...args] = this.words(["--no-prompt", ...flags], command);
    return await this.spawn(program, args);
  }

  async spawn(program: string, args: string[]) {
    const child = new Deno.Command(program, {
      args,
      cwd: this.#folder.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const error = new Response(child.stderr).text();
    let out = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      out += text;
      // A server goes on until it is told to end, and so does a watch.
      if (args.includes("serve") || args.includes("watch")) child.kill();
    }
    const { code } = await child.status;
    return { code, out, error: await error };
  }

  /** The flags of a row, and what lets the program read itself. */
  flags(flags: Row["flags"]): string[] {
    const read = [ROOT, ...flags.get("--allow-read") ?? []];
    return [...new Map([...flags, ["--allow-read", read]])].map(
      ([name, values]) =>
        values.length === 0 ? name : `${name}=${this.place(values.join(","))}`,
    );
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** The flags of a row, each time without one flag, or without one value of it. */
function* withLess({ flags }: Row): Generator<[string, Row["flags"]]> {
  for (const [name, values] of flags) {
    for (const left of values) {
      const rest = values.filter((value) => value !== left);
      const less = new Map(flags).set(name, rest);
      if (rest.length === 0) less.delete(name);
      yield [name, less];
    }
    if (values.length === 0) {
      const less = new Map(flags);
      less.delete(name);
      yield [name, less];
    }
  }
}

/** Runs the command of a row with its flags, and with each less. */
async function check(
  scene: Scene,
  row: Row,
  reset: () => void | Promise<void>,
): Promise<void> {
  const { command } = row;
  await reset();
  const { code, error } = await scene.run(scene.flags(row.flags), command);
  equal(code, 0, error);
  ok((error.match(/Reduced fidelity/g)?.length ?? 0) <= 1, error);
  for (const [name, less] of withLess(row)) {
    await reset();
    const { code, out, error } = await scene.run(scene.flags(less), command);
    equal(out, "", name);
    // What exec cannot run has an answer of its own.
    equal(code, error.includes("Cannot exec") ? 126 : 1, `${name}: ${error}`);
    match(error, new RegExp(`(^|\n)snap: Cannot [^]*${name}`));
  }
}

Deno.test("permissions: every command needs what is said, and no less", async (t) => {
  using scene = await Scene.make();
  for (const row of rows) {
    await t.step(
      row.command,
      () => check(scene, row, () => scene.reset(row.command)),
    );
  }
});

mountTest(
  "permissions: commands of mounts need what is said, and no less",
  async (t) => {
    using scene = await Scene.make();
    const unmount = (): Promise<unknown> =>
      scene.spawn("umount", ["-l", scene.place("MOUNT")]);
    for (const row of mountRows) {
      await t.step(row.command, () =>
        check(scene, row, async () => {
          await unmount();
          if (!row.command.startsWith("umount")) return;
          await scene.run(["-A"], "mount latest MOUNT");
        }));
    }
    await unmount();
  },
);

Deno.test("permissions: every command has a row", () => {
  const documented = readText("docs/cli.md").matchAll(/^\| \[(\w+)\]\(#/gm);
  const names = new Set(
    [...rows, ...mountRows].map(({ command }) => command.split(" ")[0]),
  );
  const missing = [...documented].filter(([, name]) => !names.has(name));
  deepEqual(missing.map(([, name]) => name), []);
});

Deno.test("permissions: nothing is asked on a terminal where there is another way", async () => {
  using scene = await Scene.make();
  const some = /^(save|restore|log|id|init|diff latest DIR)\b/;
  for (const row of rows.filter(({ command }) => some.test(command))) {
    scene.reset(row.command);
    const line = scene.words(scene.flags(row.flags), row.command)
      .map((word) => `'${word}'`).join(" ");
    const { code, out } = await scene.spawn("timeout", [
      "20",
      "script",
      "-qec",
      line,
      "/dev/null",
    ]);
    equal(code, 0, `${row.command}: ${out}`);
    ok(!/Allow\?|requests/.test(out), out);
  }
});
