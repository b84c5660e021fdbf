/** What a scenario is, and what comes of one. */

/** What a person asks of a scenario. */
export type ScenarioOptions = {
  /** Decides all chance: the same seed and options give the same report, to the byte. */
  readonly seed: number;
  /** Nodes; undefined for the scenario's own number. */
  readonly nodes?: number | undefined;
  /** Days of virtual time; undefined for the scenario's own number. */
  readonly days?: number | undefined;
  /** Keys; undefined for the scenario's own number. */
  readonly keys?: number | undefined;
};

/** A number, a word, or nothing where there is none. */
export type Figure = number | string | null;

/** One line of a table: figures by the names of their columns. */
export type Row = Readonly<Record<string, Figure>>;

/** Figures by name: single ones, and tables. */
export type Figures = Readonly<Record<string, Figure | readonly Row[]>>;

/** What a scenario found. */
export type ScenarioReport = {
  readonly scenario: string;
  readonly seed: number;
  /** Whether no checker was violated. */
  readonly ok: boolean;
  /** Violations by checker. */
  readonly checkers: Readonly<Record<string, number>>;
  readonly figures: Figures;
  /** The first violations, one line each, at most ten. */
  readonly violations: readonly string[];
};

/** A history that can be run in virtual time. */
export type Scenario = {
  /** One line for a person. */
  readonly summary: string;
  /** The least and the most that each option may be. */
  readonly limits: Readonly<Record<'nodes' | 'days' | 'keys', readonly [number, number]>>;
  readonly run: (options: ScenarioOptions) => ScenarioReport;
};

/** Counts violations. */
export type Findings = {
  /** Counts one violation where something that a checker holds does not hold. */
  readonly check: (checker: string, holds: boolean, what: () => string) => void;
  readonly report: () => Pick<ScenarioReport, 'ok' | 'checkers' | 'violations'>;
};

const toldMax = 10;

/** Findings of checkers that have found nothing yet. */
export function createFindings(checkers: readonly string[]): Findings {
  const counts = new Map(checkers.map(name => [name, 0]));
  const violations: string[] = [];
  return {
    check: (checker, holds, what) => {
      if (holds) return;
      counts.set(checker, (counts.get(checker) ?? 0) + 1);
      if (violations.length < toldMax) violations.push(`${checker}: ${what()}`);
    },
    report: () => ({
      ok: violations.length === 0,
      checkers: Object.fromEntries(counts),
      violations,
    }),
  };
}
