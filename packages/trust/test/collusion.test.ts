import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { observationTable } from '../index.ts';
import { simulateCollusion } from './collusion.ts';
import { kinds } from './histories.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/TRUST.md'), 'utf8');
const rows = page
  .split('\n')
  .filter(line => line.startsWith('|'))
  .map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('`', '')),
  );

const shares = [0, 10, 20, 30, 40, 50, 60];
const figures = shares.map(simulateCollusion);

test('colluders move what honest nodes think of each other by the figures in docs/TRUST.md', () => {
  for (const row of figures) {
    expect(rows).toContainEqual([
      `${row.colludersPercent} %`,
      row.plainMean.toFixed(2),
      row.audited.mean.toFixed(3),
      row.audited.worst.toFixed(3),
      row.heard.mean.toFixed(3),
      row.heard.worst.toFixed(3),
      row.noticed.toFixed(3),
      `${row.shutOutPercent.toFixed(0)} %`,
    ]);
  }
});

test('own evidence and noticed slander each hold the error far under that of a plain mean', () => {
  for (const { plainMean, audited, heard, noticed } of figures.slice(1)) {
    expect(audited.worst).toBeLessThan(plainMean / 3);
    expect(heard.worst).toBeLessThan(plainMean / 2);
    expect(noticed).toBeLessThan(0.01);
    expect(noticed).toBeLessThan(audited.worst);
  }
});

test('half of the network can not keep a well-audited honest node out of high risk', () => {
  const upToHalf = figures.filter(({ colludersPercent }) => colludersPercent <= 50);
  expect(upToHalf.map(({ shutOutPercent }) => shutOutPercent)).toEqual([0, 0, 0, 0, 0, 0]);
});

test('docs/TRUST.md has the weights of the table', () => {
  for (const kind of kinds) {
    const { availability, integrity, integrityPerPeriod, meaning } = observationTable[kind];
    const most = integrityPerPeriod === 0 ? '' : String(integrityPerPeriod);
    const row = rows.find(([name]) => name === kind);
    expect(row?.slice(0, 5)).toEqual([kind, meaning, signed(availability), signed(integrity), most]);
  }
});

function signed(mass: number): string {
  return mass > 0 ? `+${mass}` : String(mass);
}
