import { join } from 'node:path'
import ts from 'typescript'

export interface Consumer {
  readonly folder: string
  readonly files: readonly string[]
  /** As in a tsconfig.json. */
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * Checks consumers' programs and the declarations of the packages that they have installed, and returns what the compiler
 * says of each. Those of the language and of Node.js are read once for all of them, and are not checked.
 */
export function typeCheck(consumers: readonly Consumer[]): readonly string[] {
  const files = new Map<string, ts.SourceFile | undefined>()
  return consumers.map(({ folder, files: names, options: given }) => {
    const { options, errors } = ts.convertCompilerOptionsFromJson(given, folder)
    const host = ts.createCompilerHost(options)
    const read = host.getSourceFile.bind(host)
    host.getCurrentDirectory = () => folder
    host.getSourceFile = (name, ...rest) => {
      if (!isGiven(name)) return read(name, ...rest)
      if (!files.has(name)) files.set(name, read(name, ...rest))
      return files.get(name)
    }
    const rootNames = names.map((name) => join(folder, name))
    const program = ts.createProgram({ rootNames, options, host })
    const checked = program.getSourceFiles().filter(({ fileName }) => !isGiven(fileName))
    const found = checked.flatMap((file) => ts.getPreEmitDiagnostics(program, file))
    return ts.formatDiagnostics([...errors, ...program.getGlobalDiagnostics(), ...found], host)
  })
}

const isGiven = (name: string): boolean => /\/node_modules\/(typescript|@types\/node|undici-types)\//.test(name)
