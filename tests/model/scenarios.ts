// What the checker is given: the smallest scenes in which a fault of the protocol
// could show.
import type { Forgetter, LogStep, Pruner, Saver, Scenario } from "./state.ts";

const saver = (id: string, more: Partial<Saver> = {}): Saver => ({
  ...{ sort: "saver", id, needs: ["o"] },
  ...more,
});
const pruner = (id: string, rounds = 1): Pruner => ({
  sort: "pruner",
  id,
  rounds,
});
const forgetter = (record: string, after?: string): Forgetter => ({
  ...{ sort: "forgetter", id: "forgetter", record },
  ...(after === undefined ? {} : { after }),
});

/** Object `o` lies in pack X, and nothing needs it. */
const DEAD = { packs: ["X:o"], records: [] };
const ONE_SAVER = [saver("S"), pruner("p")];

/** The scenarios, by a short name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  crash: {
    ...{ ...DEAD, name: "a saver and a pruner, one of whom dies" },
    ...{ actors: ONE_SAVER, crashes: 1 },
  },
  sleeper: {
    ...{ ...DEAD, name: "a saver that sleeps over two rounds" },
    actors: [saver("S"), pruner("p", 2)],
  },
  twoPruners: {
    ...{ ...DEAD, name: "a saver and two pruners" },
    actors: [saver("S"), pruner("p"), pruner("q")],
  },
  parent: {
    ...{
      ...DEAD,
      name:
        "two savers, the second takes the first for its parent, which is forgotten",
    },
    actors: [saver("S"), saver("T"), pruner("p"), forgetter("RS", "S")],
  },
  sleepingParent: {
    ...{
      ...DEAD,
      name: "two savers, one of whom sleeps and is a parent for the other",
    },
    actors: [saver("S"), saver("T"), pruner("p")],
  },
  copy: {
    ...{ ...DEAD, name: "a copier, whose record comes from another store" },
    actors: [saver("S", { header: "other" }), pruner("p")],
  },
  namedCopy: {
    ...{
      ...DEAD,
      name: "a copier that names the save id of its record, and dies",
    },
    ...{ actors: [saver("C", { recordId: "Y" }), pruner("p")], crashes: 1 },
  },
  adopted: {
    ...{ ...DEAD, name: "a copier that takes over a pack, and two pruners" },
    actors: [
      saver("S", { header: "other", adopts: true }),
      pruner("p"),
      pruner("q"),
    ],
  },
  renewal: {
    ...{ ...DEAD, name: "a lease that is renewed while leases are listed" },
    ...{
      actors: [saver("S", { renews: true }), pruner("p")],
      listsInPages: true,
    },
  },
  repack: {
    ...{ name: "live objects are moved, one dies, another takes over" },
    ...{ packs: ["X:o+v"], records: ["RB|B|B|v"], crashes: 1, repacks: true },
    actors: [saver("S"), pruner("p"), pruner("q")],
  },
  recipe: {
    ...{ name: "a dead recipe in a live pack outlives its chunks" },
    ...{ packs: ["T:r+v", "X:c"], records: ["RB|B|B|v"] },
    actors: [saver("S", { needs: ["r", "c"] }), pruner("p")],
  },
  forgottenParent: {
    ...{ name: "a parent is forgotten while a save relies on it, one dies" },
    ...{ packs: ["X:o"], records: ["RB|B|B|o"], crashes: 1 },
    actors: [saver("S"), pruner("p", 2), forgetter("RB")],
  },
  latePruner: {
    ...{ ...DEAD, name: "a pruner that slept through a round" },
    actors: [saver("T"), pruner("p")],
    begin: (state) => {
      const steps = [
        "condemned",
        "holders",
        "suspects",
        "final",
        "done",
      ] as const;
      state.log = steps.map((step): LogStep => ({
        ...{ step, packs: [], saves: [], voids: [] },
        isGone: step !== "done",
      }));
      const condemned = ["X:o"];
      state.actors[1] = { at: "condemn", rounds: 1, number: 0, condemned };
    },
  },
  reader: {
    ...{ name: "a reader with an index in memory, two rounds of repacking" },
    ...{ packs: ["X:o+u+v"], records: ["RB|B|B|v", "RC|C|C|u"], repacks: true },
    actors: [{ sort: "reader", id: "r" }, pruner("p", 2), forgetter("RC")],
  },
  twoRecords: {
    ...{ name: "a saver that writes two records under one save id" },
    ...{ packs: ["X:o", "W:w"], records: [] },
    actors: [saver("S", { writesTwo: true }), pruner("p")],
  },
  threePruners: {
    ...{ ...DEAD, name: "three pruners and a saver, one of whom dies" },
    ...{ actors: [...ONE_SAVER, pruner("q"), pruner("u")], crashes: 1 },
  },
  twoOfEach: {
    ...{ ...DEAD, name: "two savers and two pruners" },
    actors: [saver("S"), saver("T"), pruner("p"), pruner("q")],
  },
};
