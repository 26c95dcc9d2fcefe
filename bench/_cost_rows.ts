import type { StepCost } from "./_case.ts";
import { median } from "./_measure.ts";
import { megabytes, renderLines } from "./_table.ts";

/** What several ways to do several things cost, a run each. */
export class CostRows {
  readonly #steps = new Map<string, Map<string, StepCost[]>>();

  /**
   * Adds one run.
   *
   * @param step What was done, the title of its table.
   * @param name How, the name of its row.
   * @param cost What it took.
   */
  add(step: string, name: string, cost: StepCost): void {
    let rows = this.#steps.get(step);
    if (rows === undefined) this.#steps.set(step, rows = new Map());
    const costs = rows.get(name);
    if (costs === undefined) rows.set(name, [cost]);
    else costs.push(cost);
  }

  /**
   * Returns the median of the wall times of a row that is there.
   *
   * @param step What was done.
   * @param name How.
   * @returns Seconds.
   */
  median(step: string, name: string): number {
    const costs = this.#steps.get(step)?.get(name) ?? [];
    return median(costs.map(({ wallSeconds }) => wallSeconds));
  }

  /**
   * Renders a Markdown table of medians for each step.
   *
   * @param byteCount The bytes that each of them goes through.
   * @returns The tables with their titles.
   */
  render(byteCount: number): string {
    let text = "";
    for (const [step, rows] of this.#steps) {
      const lines = [...rows].map(([name, costs]) => {
        const wall = median(costs.map(({ wallSeconds }) => wallSeconds));
        const cpu = median(costs.map(({ cpuSeconds }) => cpuSeconds));
        const peak = median(costs.map(({ peakBytes }) => peakBytes));
        return [
          name,
          `${wall.toFixed(2)} s`,
          (byteCount / 1e6 / wall).toFixed(0),
          `${cpu.toFixed(2)} s`,
          `${megabytes(peak)} MB`,
        ];
      });
      const head = ["", "time", "MB/s", "CPU", "memory"];
      text += `\n### ${step}\n\n${renderLines([head, ...lines])}`;
    }
    return text;
  }
}
