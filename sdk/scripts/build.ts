// Builds dist: declarations keep their comments, JavaScript goes without them (editors read the declarations).
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const sdk = fileURLToPath(new URL('..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')

function compile(...flags: readonly string[]): void {
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...flags], { cwd: sdk, stdio: 'inherit' })
}

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
compile('--emitDeclarationOnly')
// What has been checked need not be checked again.
compile('--declaration', 'false', '--removeComments', '--noCheck')
