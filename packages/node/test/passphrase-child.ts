import { changePassphrase } from '../src/identity.ts';

/** Changes the passphrase of a home back and forth until it is killed, and says so each time. */
const [home = '', first = '', second = ''] = process.argv.slice(2);
const passphrases = [Buffer.from(first), Buffer.from(second)] as const;
for (let i = 0; ; i++) {
  await changePassphrase(home, passphrases[i % 2], passphrases[(i + 1) % 2], 1);
  process.stdout.write('.');
}
