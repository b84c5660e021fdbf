/** A process whose stdout is the output: opens the sealed file `input` with the key given in hexadecimal. */
import { fromHex } from '@skerry/base';
import { openStream, readPieces, readSealedHeader } from '../index.ts';

const [input, keyText] = process.argv.slice(2) as [string, string];
const header = await readSealedHeader(readPieces(input));
await openStream({ header, key: fromHex(keyText)!, output: process.stdout });
