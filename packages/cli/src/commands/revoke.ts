import { SkerryError } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';

type Flags = { readonly all?: boolean; readonly jti?: string };

const afterHelp = `
A grant is named by its jti, or by its token; --all ends every grant of a key
that was given so far. It is effective once k - t + 1 holders know: no t are
left that would still take the grant. The others are told as soon as they are
back.

Examples:
  skerry revoke 4xjc0bI0yAIvU8cKhzvGQA
  skerry revoke backups --all`;

/** What to ask the daemon for: a token is a JWS in base64url, a jti has at most 64 characters. */
function termsOf(target: string, { all, jti }: Flags): Readonly<Record<string, string>> {
  if (all && jti !== undefined) throw new SkerryError('USAGE', 'give --all or --jti, not both');
  if (all) return { key: target };
  if (jti !== undefined) return { key: target, jti };
  if (/^[0-9a-f]{64}$/i.test(target)) {
    throw new SkerryError('USAGE', 'that is a key: give --all to revoke all of its grants, or --jti for one');
  }
  return target.length > 64 ? { token: target } : { jti: target };
}

async function revoke(target: string, flags: Flags, invocation: Invocation): Promise<void> {
  const { connectDaemon } = await import('../daemon/client.ts');
  const { reportEnding } = await import('../render/ending.ts');
  const daemon = connectDaemon(await invocation.findHome());
  const { document } = await daemon.call('revoke', termsOf(target, flags));
  await reportEnding(document, 'REVOCATION_PENDING', invocation);
}

/** `skerry revoke`: takes grants back. */
export const revokeCommand: CommandModule = {
  declare(command, invocation) {
    command
      .argument('<target>', 'a grant: its jti or its token; or a key, with --all or --jti')
      .option('--all', 'every grant of the key that was given so far')
      .option('--jti <jti>', 'a grant of the key that another home of its owner gave')
      .addHelpText('after', afterHelp)
      .action(async (target: string, flags: Flags) => revoke(target, flags, invocation));
  },
};
