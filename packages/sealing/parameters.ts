/**
 * Bytes that the header of a sealed file may have. It takes 191 with the skerry stanza alone, 98 more for each
 * `age1...` recipient and 1,557 for each `age1pq1...`: room for 666 or for 41 of them. A reader holds it whole in memory before it has
 * checked anything, and pays its square when the source hands out single bytes. Range 4,096 to 2^20.
 */
export const headerBytesMax = 65_536;

/**
 * Bytes asked of the disk per read. Below 128 KiB the calls show in the throughput; above 1 MiB a piece no longer stays
 * in the processor's cache between being metered and being encrypted. Range 2^16 to 2^24.
 */
export const readBytes = 524_288;

/**
 * Bytes handed to the disk per write. One buffer is written while the next is filled; these two and the
 * two being read are what a file of any size costs in memory. Below 256 KiB the calls show in the throughput. Range 2^16
 * to 2^24.
 */
export const writeBytes = 1_048_576;
