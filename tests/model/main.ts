// Looks at all states of some scenarios, also of those that are too large for a test:
//
//     deno run tests/model/main.ts [SCENARIO]...
import { explore } from "./explore.ts";
import { SCENARIOS } from "./scenarios.ts";
import { PROTOCOL } from "./state.ts";

const names = Deno.args.length > 0 ? Deno.args : Object.keys(SCENARIOS);
for (const name of names) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    console.error(
      `Cannot find ${name}: there is ${Object.keys(SCENARIOS).join(", ")}`,
    );
    Deno.exit(2);
  }
  const { stateCount, isExhausted, violations } = explore(scenario, PROTOCOL);
  const extent = isExhausted ? "all" : "the first";
  console.log(`${name}: ${scenario.name}: ${extent} ${stateCount} states`);
  for (const [violation, steps] of violations) {
    console.log(`  ${violation}\n    ${steps.join("\n    ")}`);
  }
}
