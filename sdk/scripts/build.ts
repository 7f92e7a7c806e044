// Builds dist: declarations keep their comments, JavaScript goes without them (editors read the declarations).
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const sdk = fileURLToPath(new URL('..', import.meta.url))
const { fileNames, options, errors } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(`${sdk}/tsconfig.build.json`, ts.sys.readFile).config,
  ts.sys,
  sdk,
)
const host = ts.createCompilerHost(options)

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
const typed = ts.createProgram(fileNames, { ...options, emitDeclarationOnly: true }, host)
fail(errors, ts.getPreEmitDiagnostics(typed), typed.emit().diagnostics)
// What has been read and checked need be neither again.
const untyped = { ...options, declaration: false, removeComments: true, noCheck: true }
fail(ts.createProgram(fileNames, untyped, host, typed).emit().diagnostics)

function fail(...diagnostics: readonly (readonly ts.Diagnostic[])[]): void {
  const all = diagnostics.flat()
  if (all.length === 0) return
  process.stderr.write(ts.formatDiagnostics(all, host))
  process.exit(1)
}
