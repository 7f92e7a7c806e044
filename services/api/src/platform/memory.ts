import { setFlagsFromString } from 'node:v8'

/**
 * Command-line options of server and worker, which cannot be set from inside: a young generation of 24 MB instead of
 * 96 MB. The image sets the same.
 */
export const nodeOptions = '--max-semi-space-size=8'

/**
 * A full collection begins when the heap has grown by so many percent, and takes a processor for about 0.1 s. By default
 * the heap may grow fourfold on a machine with much memory, which nothing gives back while requests keep coming.
 */
export function boundHeapGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}
