/** Describes the machine in one line: cores, model, memory, kernel. */
export function describeMachine(): string {
  const model = /^model name\s*: (.+)$/m.exec(
    Deno.readTextFileSync("/proc/cpuinfo"),
  )?.[1];
  const gibibytes = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} cores of ${
    model ?? Deno.build.arch
  }, ${gibibytes} GiB, Linux ${Deno.osRelease().match(/^[0-9.]+/)?.[0]}`;
}

/** Returns the version that a shell command prints alone or in a text, or undefined if it fails. */
export async function versionOf(
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("bash", {
    args: ["-o", "pipefail", "-c", command],
    env: { ...env },
    stderr: "null",
  }).output();
  if (!success) return undefined;
  const said = new TextDecoder().decode(stdout).trim();
  if (/^\d.*$/.test(said)) return said;
  const found = said.match(/\d+(\.\d+)*/);
  return found?.[0] ?? "of unknown version";
}
