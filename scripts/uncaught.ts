import { executionAsyncResource } from 'node:async_hooks'
import { registerHooks } from 'node:module'

// Loaded before tap, this module stands for its `async-hook-domain`. That one notes every promise and handle of the
// process, to find the test to which an uncaught error belongs. That takes time, and a promise that is noted, with all
// that it holds, is freed by major collections only.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'async-hook-domain' ? { url: import.meta.url, shortCircuit: true } : next(specifier, context),
})

type Catch = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) => void

const live: Domain[] = []

/** Tests run one after the other: what nobody caught fails the innermost that has begun and not ended. */
export class Domain {
  readonly #test: { readonly started: boolean } | undefined
  readonly onerror: Catch

  /** Made in the scope of its test, which may have to wait for others to end. */
  constructor(onerror: Catch) {
    this.onerror = onerror
    this.#test = (executionAsyncResource() as { readonly test?: { readonly started: boolean } }).test
    if (live.push(this) === 1) process.on('uncaughtException', failInnermost)
  }

  get hasBegun(): boolean {
    return this.#test?.started === true
  }

  destroy(): void {
    const at = live.indexOf(this)
    if (at === -1) return
    live.splice(at, 1)
    if (live.length === 0) process.off('uncaughtException', failInnermost)
  }
}

/** Who else listens expects the error. */
function failInnermost(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void {
  if (process.listenerCount('uncaughtException') > 1) return
  const domain = live.findLast(({ hasBegun }) => hasBegun) ?? live[0]
  domain?.onerror(error, origin)
}
