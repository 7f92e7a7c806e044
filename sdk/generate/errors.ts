import { type Document, type OperationObject, sorted } from './document.ts'

/** Every error code the document names, as a type. */
export function renderErrors(document: Document): string {
  const codes = new Set<string>()
  for (const item of Object.values(document.paths ?? {}))
    for (const operation of Object.values(item))
      for (const code of (operation as OperationObject)?.['x-error-codes'] ?? []) codes.add(code)
  const invalid = [...codes].filter((code) => !/^[A-Z][A-Z0-9_]*$/.test(code))
  if (invalid.length > 0) throw new Error(`error codes must be UPPER_SNAKE_CASE: ${invalid.join(', ')}`)
  const union = sorted(codes).map((code) => `  | '${code}'`)
  return `/** The codes the API answers with; \`error.code\` may also hold one that a later version of the API adds. */
export type ErrorCode =${union.length === 0 ? ' never' : `\n${union.join('\n')}`}
`
}
