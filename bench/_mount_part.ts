/** What every part of the bench of mounts needs. */
export interface PartOptions {
  /** A folder of its own, in memory. */
  readonly folder: string;
  /** Variables for commands. */
  readonly env: Readonly<Record<string, string>>;
  /** How often; the median counts. */
  readonly runCount: number;
  /** Whether it measures, or only shows that it runs. */
  readonly size: "full" | "small";
}
