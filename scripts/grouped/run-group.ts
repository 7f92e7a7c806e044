import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { root } from '../run.ts'

/** The file that runs, and the test that stands for it. */
let running: { readonly url: string; readonly scope: Test } | undefined

/**
 * Runs test files one after the other in this process. Each is a test named like the file, and what the file imports as
 * `tap` is that test: it starts when the one before has ended and has closed what it opened.
 */
export function runGroup(files: readonly string[]): void {
  const timeout = Number(process.env.TAP_TIMEOUT) * 1_000
  t.setTimeout(files.length * timeout)
  for (const file of files)
    t.test(file, { timeout, at: null, stack: '' }, async (scope) => {
      const { href: url } = pathToFileURL(path.join(root, file))
      running = { url, scope }
      await import(url)
    })
}

/** What stands for `tap` in the file that runs. */
export function scopeOfFile(): Test {
  if (running === undefined) throw new Error('no test file runs')
  return running.scope
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'tap' || context.parentURL !== running?.url) return next(specifier, context)
    // With an address of its own, the module is loaded anew for each file.
    return {
      url: new URL(`scope.ts?of=${encodeURIComponent(running?.url ?? '')}`, import.meta.url).href,
      shortCircuit: true,
    }
  },
})
