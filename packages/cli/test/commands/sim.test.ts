import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentIn, run } from '../captured-run.ts';
import { createFolder } from '../folder.ts';

const small = ['--nodes', '100', '--keys', '4', '--days', '3'];

describe('skerry sim', () => {
  it('gives a report, and the same for the same seed', async () => {
    const first = await run(['sim', 'churn', ...small, '--seed', '5', '--json']);
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(documentIn(first)).toMatchObject({
      scenario: 'churn',
      seed: 5,
      ok: true,
      checkers: { 'key-lost': 0, 'two-quorums': 0 },
      figures: { nodes: 100, keys: 4, days: 3, keysLost: 0 },
      violations: [],
    });
    expect((await run(['sim', 'churn', ...small, '--seed', '5', '--json'])).stdout).toBe(first.stdout);
  });

  it('gives tables for a person, and a page of plots that needs nothing from elsewhere', async () => {
    using folder = createFolder();
    const page = folder.path('churn.html');
    const { exitCode, stdout } = await run(['sim', 'churn', ...small, '--page', page]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('churn, seed 1: every checker holds\n');
    expect(stdout).toMatch(/^checker +violations$/m);
    expect(stdout).toMatch(/^day +full +spareMean/m);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('skerry sim churn --seed 1 --nodes 100 --days 3 --keys 4');
    expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(6);
    expect(html).not.toMatch(/https?:|<script|src=/);
    const taken = await run(['sim', 'churn', ...small, '--page', folder.path('.')]);
    expect(taken).toMatchObject({ exitCode: 3, stdout: '' });
  });

  it('ends with 1 where a checker is violated, and with the command that shows it again', async () => {
    // so few nodes have no observer near enough to refute the liar's place
    const { exitCode, stderr, stdout } = await run([
      'sim',
      'trust',
      '--nodes',
      '16',
      '--keys',
      '20',
      '--json',
    ]);
    expect(documentIn({ stdout })).toMatchObject({ ok: false });
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'skerry: a checker is violated; again: skerry sim trust --seed 1 --nodes 16 --keys 20\n',
    );
  });

  it('takes what there is, within its limits', async () => {
    const wrongs = [
      ['sim'],
      ['sim', 'weather'],
      ['sim', 'churn', '--nodes', '3'],
      ['sim', 'trust', '--days', 'x'],
    ];
    for (const argv of wrongs) {
      expect(await run(argv)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE') });
    }
    expect((await run(['sim', '--help'])).stdout).toContain('durability');
  });
});
