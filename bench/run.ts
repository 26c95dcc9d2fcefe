// Runs benches one after the other, since two at once would measure each other:
//   deno task bench [NAME...] [ARGUMENT...]
// All of them without a name. What follows the names goes to each bench, such as
// --small, or the tree and the number of runs: deno task bench save source --runs 5
import { listBenches, runBench } from "./_benches.ts";

const known = listBenches();
const end = Deno.args.findIndex((arg) => !known.includes(arg));
const names = Deno.args.slice(0, end < 0 ? undefined : end);
const rest = Deno.args.slice(names.length);
if (names.length === 0 && rest.length > 0 && !rest[0].startsWith("-")) {
  console.error(
    `Cannot bench as it needs one of ${known.join(", ")}: found ${rest[0]}`,
  );
  Deno.exit(2);
}
let failCount = 0;
for (const name of names.length > 0 ? names : known) {
  console.log(`\n${name}`);
  const { code } = await runBench(name, rest, "inherit");
  if (code === 0) continue;
  console.error(`${name} failed with ${code}`);
  failCount++;
}
Deno.exit(failCount === 0 ? 0 : 1);
