export { readSealedHeader, type SealedHeader } from './src/header.ts';
export { type OpenOptions, openStream, readPlaintext } from './src/open.ts';
export { removePartials } from './src/partial-file.ts';
export { readPieces } from './src/pieces.ts';
export { type SealedFile, type SealOptions, sealStream } from './src/seal.ts';
export { type Output, type StagedFile } from './src/staged-file.ts';
