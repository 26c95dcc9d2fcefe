import { describeMachine } from "./_machine.ts";
import { replaceSection } from "./_table.ts";

const DOCUMENT = new URL("../docs/BENCHMARKS.md", import.meta.url);

/**
 * Says when, by which command and where figures were taken.
 *
 * @param command What was run, without paths of this machine.
 * @returns A paragraph without its last full stop, so that more can follow.
 */
export function describeRun(command: string): string {
  const date = new Date().toISOString().slice(0, 10);
  return `Printed on ${date} by

\`\`\`sh
${command}
\`\`\`

on ${describeMachine()}, Deno ${Deno.version.deno}`;
}

/**
 * Puts a section between its markers in `docs/BENCHMARKS.md`, and formats it as
 * the checks of the repository want it.
 *
 * @param name The name in the markers.
 * @param section The section, from its heading on.
 */
export async function writeSection(
  name: string,
  section: string,
): Promise<void> {
  const before = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceSection(before, name, section));
  const args = ["fmt", "-q", DOCUMENT.pathname];
  await new Deno.Command(Deno.execPath(), { args }).spawn().status;
}
