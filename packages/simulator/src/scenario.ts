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

/** What checkers found. */
export type Verdict = Pick<ScenarioReport, 'ok' | 'checkers' | 'violations'>;

/** A history that can be run in virtual time. */
export type Scenario = {
  /** One line for a person. */
  readonly summary: string;
  /** The least and the most that each option may be. */
  readonly limits: Readonly<Record<'nodes' | 'days' | 'keys', readonly [number, number]>>;
  /** Runs all of it, here. */
  readonly run: (options: ScenarioOptions) => ScenarioReport;
  /** Parts that do not depend on each other, so that each can be run by a thread of its own: how many. */
  readonly parts: (options: ScenarioOptions) => number;
  /** Runs one part; what comes of it is plain data for `report`. */
  readonly runPart: (options: ScenarioOptions, part: number) => unknown;
  /** The report on all parts, in their order: the same as of `run`. */
  readonly report: (options: ScenarioOptions, parts: readonly unknown[]) => ScenarioReport;
};

/** A scenario of parts of one type, where it is of more than one. */
export function createScenario<Part>(
  scenario: Pick<Scenario, 'summary' | 'limits' | 'parts'> & {
    readonly runPart: (options: ScenarioOptions, part: number) => Part;
    readonly report: (options: ScenarioOptions, parts: readonly Part[]) => ScenarioReport;
  },
): Scenario {
  const { parts, runPart, report } = scenario;
  return {
    ...scenario,
    report: (options, done) => report(options, done as readonly Part[]),
    run: options => {
      const done = Array.from({ length: parts(options) }, (_, part) => runPart(options, part));
      return report(options, done);
    },
  };
}

/** A scenario that is run as a whole. */
export function createWhole(
  { summary, limits }: Pick<Scenario, 'summary' | 'limits'>,
  run: (options: ScenarioOptions) => ScenarioReport,
): Scenario {
  return createScenario<ScenarioReport>({
    summary,
    limits,
    parts: () => 1,
    runPart: run,
    report: (_, [report]) => report!,
  });
}

/** Counts violations. */
export type Findings = {
  /** Counts one violation where something that a checker holds does not hold. */
  readonly check: (checker: string, holds: boolean, what: () => string) => void;
  readonly report: () => Verdict;
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

/** What the checkers of several parts found, as one. */
export function joinVerdicts(verdicts: readonly Verdict[]): Verdict {
  const checkers: Record<string, number> = {};
  for (const verdict of verdicts) {
    for (const [name, count] of Object.entries(verdict.checkers))
      checkers[name] = (checkers[name] ?? 0) + count;
  }
  const violations = verdicts.flatMap(one => one.violations).slice(0, toldMax);
  return { ok: violations.length === 0, checkers, violations };
}
