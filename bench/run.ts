// Runs the benches one after the other, since two at once would measure each other:
//   deno task bench [NAME...] [--small]
import { listBenches, runBench } from "./_benches.ts";

const names = Deno.args.filter((arg) => !arg.startsWith("-"));
const small = Deno.args.includes("--small");
let failCount = 0;
for (const name of listBenches()) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n${name}`);
  const { code } = await runBench(name, small ? "small" : "full", "inherit");
  if (code === 0) continue;
  console.error(`${name} failed with ${code}`);
  failCount++;
}
Deno.exit(failCount === 0 ? 0 : 1);
