/**
 * Nesting of arrays that an encoding may have. The deepest record (a manifest: amendments, each with an accept)
 * nests 6; 16 leaves room and keeps the decoder's recursion far from the end of any stack. Range 8 to 64.
 */
export const canonicalDepthMax = 16;

/**
 * Items, arrays included, that an encoding may hold. The largest record is a manifest with 255 points, holders and
 * receipts and 510 amendments, under 2^14; each item costs the decoder up to 100 bytes of memory, so this bounds it
 * at 6.5 MB for a message of any length. Range 2^14 to 2^20.
 */
export const canonicalItemsMax = 65_536;
