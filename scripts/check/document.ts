import { binOf, runNode } from '../run.ts'

interface Lint {
  readonly totals: { readonly errors: number; readonly warnings: number }
  readonly problems: readonly {
    readonly ruleId: string
    readonly message: string
    readonly location: readonly { readonly pointer?: string }[]
  }[]
}

/** Lints the published document; a warning counts as much as an error. */
export async function documentProblems(): Promise<readonly string[]> {
  const { code, output } = await runNode(
    binOf('@redocly/cli', 'redocly'),
    ['lint', 'openapi/openapi.json', '--config', 'openapi/redocly.yaml', '--format', 'json', '--max-problems', '1000'],
    { env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  )
  const [json] = /^\{.*^\}/ms.exec(output) ?? []
  if (json === undefined) return [`redocly ended with code ${code}: ${output.trim()}`]
  const { problems } = JSON.parse(json) as Lint
  return problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer ?? '?'}: ${message}`)
}

/** Holds the document against the OWASP API security rules; every severity counts. */
export async function owaspProblems(): Promise<readonly string[]> {
  const { code, output } = await runNode(binOf('@stoplight/spectral-cli', 'spectral'), [
    ...['lint', 'openapi/openapi.json', '--ruleset', 'openapi/spectral.yaml'],
    ...['--fail-severity', 'hint', '--format', 'text', '--quiet'],
  ])
  return code === 0 ? [] : [output.trim() || `exit code ${code}`]
}
