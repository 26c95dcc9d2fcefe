// A few rounds of what deno run -A tests/_prune_rounds.ts does many of.
import { Prng } from "./_prng.ts";
import { PruneRounds } from "./_prune_rounds.ts";

const ROUNDS = 3;

Deno.test("savers, a copier, a reader and pruners, of which some are killed or stopped, lose nothing", async () => {
  using scene = new PruneRounds(new Prng(14));
  await scene.begin();
  for (let round = 0; round < ROUNDS; round++) await scene.round();
  await scene.checkAll();
  await scene.settle();
});
