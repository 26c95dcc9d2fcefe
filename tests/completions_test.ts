// The scripts of `snap completions`, each in its own shell: what it offers for a line.
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "./_snapshots.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;
const COMPLETE_ZSH =
  new URL("./testdata/complete.zsh", import.meta.url).pathname;

/** Lines up to the cursor, and what each shell offers there. */
const LINES: readonly (readonly [line: string, offered: string])[] = [
  ["snap rest", "restore"],
  ["snap re", "recover repair restore rewrite"],
  ["snap repair ", "index packs snapshots"],
  ["snap --store st l", "listing log ls"],
  ["snap --jobs 4 --store st l", "listing log ls"],
  ["snap save --exclude-c", "--exclude-caches"],
  ["snap --store st save t", "tree"],
  ["snap save --workers ", ""],
  ["snap --store st save -t ", "nightly release"],
  ["snap completions z", "zsh"],
  ["snap help comp", "completions"],
  ["snap init --codec l", "lz4"],
  ["snap ls --store st ", "latest nightly release"],
  ["snap -v ls -l --store=st n", "nightly"],
  ["snap --store st find x r", "release"],
  ["snap --store st restore nightly t", "tree"],
  ["snap --store st diff ", "latest nightly release st tree"],
  ["snap --store st tag nightly l", "latest"],
];

/** A folder with a saved tree, two tags, and the program in its path. */
class Scene extends TemporaryFolder {
  constructor() {
    super();
    mkdirSync(this.join("bin"));
    mkdirSync(this.join("work/tree"), { recursive: true });
    const program = this.join("bin/snap");
    const deno = `exec '${Deno.execPath()}' run -A --no-check '${MAIN}' "$@"`;
    writeFileSync(program, `#!/bin/sh\n${deno}\n`);
    chmodSync(program, 0o755);
  }

  /** Runs a program; gives its stdout. */
  async run(program: string, ...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: this.join("work"),
      env: {
        PATH: `${this.join("bin")}:${Deno.env.get("PATH")}`,
        HOME: this.path,
        XDG_CONFIG_HOME: this.join("config"),
      },
      stdin: "null",
    }).output();
    strictEqual(success, true, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  }

  async save(): Promise<void> {
    await this.run("snap", "init", "st");
    await this.run("snap", "--store", "st", "save", "tree", "-t", "nightly");
    await this.run("snap", "--store", "st", "tag", "release", "nightly");
  }

  /** Writes the completions of a shell; gives their path. */
  async script(shell: string, path = shell): Promise<string> {
    const file = this.join(path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, await this.run("snap", "completions", shell));
    return file;
  }
}

/** What stands on lines, up to an empty one each. */
function groupsOf(text: string): string[][] {
  const groups: string[][] = [[]];
  for (const line of text.split("\n")) {
    if (line === "") groups.push([]);
    else groups.at(-1)!.push(line.replace(/\/?(\t.*)?$/, ""));
  }
  return groups.slice(0, LINES.length);
}

const ALL_LINES = LINES.map(([line]) => line);

/** What each shell offers, from its own mouth. */
const SHELLS: Readonly<Record<string, (scene: Scene) => Promise<string>>> = {
  async bash(scene) {
    const program = `source '${await scene.script("bash")}'
for line; do
  COMP_LINE=$line COMP_POINT=\${#line}
  _snap
  printf '%s\\n' "\${COMPREPLY[@]}" ""
done`;
    return await scene.run("bash", "-c", program, "bash", ...ALL_LINES);
  },
  async zsh(scene) {
    const script = await scene.script("zsh");
    return await scene.run("zsh", "-f", COMPLETE_ZSH, script, ...ALL_LINES);
  },
  async fish(scene) {
    await scene.script("fish", "config/fish/completions/snap.fish");
    const program = "for line in $argv; complete -C $line; echo; end";
    return await scene.run("fish", "-c", program, ...ALL_LINES);
  },
};

for (const [shell, offersOf] of Object.entries(SHELLS)) {
  const isHere = await hasShell(shell);
  Deno.test({
    name: isHere
      ? `completions of ${shell}: commands, options, values, tags`
      : `skipped, no ${shell} here: completions`,
    ignore: !isHere,
    async fn() {
      using scene = new Scene();
      await scene.save();
      const groups = groupsOf(await offersOf(scene));
      deepStrictEqual(
        LINES.map((
          [line],
          i,
        ) => [line, [...new Set(groups[i])].sort().join(" ")]),
        LINES.map(([line, offered]) => [line, offered]),
      );
    },
  });
}

Deno.test("completions of bash: the word behind a colon, and names with spaces", async () => {
  using scene = new Scene();
  mkdirSync(scene.join("work/one two"));
  const script = await scene.script("bash");
  const offered = async (line: string) => {
    const program = `source '${script}'
COMP_LINE=$1 COMP_POINT=\${#1}; _snap; printf '<%s>' "\${COMPREPLY[@]}"`;
    return await scene.run("bash", "-c", program, "bash", line);
  };
  strictEqual(await offered("snap init --codec zstd:"), "<1><3>");
  strictEqual(await offered("snap save o"), "<one two>");
});

async function hasShell(name: string): Promise<boolean> {
  try {
    // Fish makes folders in the home, whatever it is told to do.
    const env = {
      HOME: "/nonexistent",
      XDG_CONFIG_HOME: "",
      XDG_DATA_HOME: "",
    };
    const shell = new Deno.Command(name, { args: ["-c", "exit"], env });
    return (await shell.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
