import { SkerryError } from '@skerry/base';
import type { Command } from 'commander';
import { grantBytesMax } from '../parameters.ts';
import { readBoundedText } from './bounded-file.ts';
import type { Io } from './io.ts';

/** Flags of a command that takes a grant. */
export type GrantFlags = { readonly grant?: string; readonly grantFile?: string };

/**
 * Declares the flags of a grant. A token on the command line is seen by all users of the machine, and stays in the
 * shell's history; one in a file is not.
 *
 * @param command to declare them on
 */
export function declareGrantFlags(command: Command): Command {
  return command
    .option('--grant-file <file>', "where another owner's grant for this node is; - for standard input")
    .option('--grant <token>', 'that grant itself, which other users of the machine can see');
}

/**
 * The grant that flags name.
 *
 * @param flags of the command line
 * @param io for standard input
 * @returns undefined where they name none
 * @throws USAGE where both are given; GRANT_INVALID for what is no token; FILE_UNREADABLE
 */
export async function readGrant(flags: GrantFlags, io: Pick<Io, 'stdin'>): Promise<Uint8Array | undefined> {
  const { grant, grantFile } = flags;
  if (grant !== undefined && grantFile !== undefined)
    throw new SkerryError('USAGE', 'give --grant or --grant-file, not both');
  if (grant !== undefined) return decode(grant);
  if (grantFile === undefined) return undefined;
  return decode(await readBoundedText(grantFile === '-' ? io.stdin : grantFile, grantBytesMax));
}

/** Nothing at all must not pass for no grant: the key would be opened as its owner, or refused as a stranger's. */
function decode(token: string | undefined): Uint8Array {
  const text = token?.trim() ?? '';
  if (!/^[\w-]+$/.test(text)) throw new SkerryError('GRANT_INVALID', 'the grant is no token of skerry grant');
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
