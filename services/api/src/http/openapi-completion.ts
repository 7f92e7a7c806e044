interface Schema {
  readonly type?: string | readonly string[]
  readonly maximum?: number
  readonly minimum?: number
  format?: string
}

interface Response {
  readonly description?: string
  headers?: Record<string, unknown>
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, { readonly responses: Record<string, Response> }>>>>
  components?: { headers?: Record<string, unknown>; responses?: Record<string, Response> }
  servers?: object[]
}

const count = (description: string) => ({
  description,
  schema: { type: 'integer', minimum: 0, maximum: 2_147_483_647 },
})
const text = (maxLength: number, description: string) => ({ description, schema: { type: 'string', maxLength } })

/** Headers that many answers carry; named once, referred to everywhere. */
const headers = {
  'Access-Control-Allow-Origin': text(2_048, 'The origin of the calling page, where CORS_ORIGINS lists it'),
  'RateLimit-Limit': count('Requests per minute this caller may make'),
  'RateLimit-Remaining': count('Requests that are left in this minute'),
  'RateLimit-Reset': count('Seconds until the minute ends'),
  'Retry-After': count('Seconds after which the same request may be sent again'),
  'WWW-Authenticate': text(200, 'How to authenticate'),
  'X-Request-Id': text(128, 'The id of the request; the one that was sent, if it was well formed'),
}
type HeaderName = keyof typeof headers

const everywhere: readonly HeaderName[] = [
  'Access-Control-Allow-Origin',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'X-Request-Id',
]
const byStatus: Readonly<Record<string, readonly HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  409: ['Retry-After'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

/** Adds to the document what follows from the rest of it: headers of answers, shared answers, formats of integers. */
export function completeDocument({ openapiObject: document }: { readonly openapiObject: Document }): Document {
  const shared: Record<string, Response> = {}
  for (const item of Object.values(document.paths ?? {}))
    for (const { responses } of Object.values(item))
      for (const [status, response] of Object.entries(responses)) {
        response.headers = { ...response.headers, ...referredHeaders(status) }
        const name = sharedName(response)
        if (name !== undefined) shared[name] = response
        if (name !== undefined) responses[status] = { $ref: `#/components/responses/${name}` } as Response
      }
  const responses = Object.fromEntries(Object.entries(shared).sort(([a], [b]) => (a < b ? -1 : 1)))
  document.components = { ...document.components, responses, headers: { ...headers } }
  document.servers = document.servers?.map((server) => ({ ...server, 'x-internal': 'false' })) ?? []
  nameFormats(document)
  return document
}

const referredHeaders = (status: string) =>
  Object.fromEntries(
    [...everywhere, ...(byStatus[status] ?? [])].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  )

/** An answer of one problem is the same in every operation: `RateLimited` for one described as RATE_LIMITED. */
function sharedName({ description = '' }: Response): string | undefined {
  const [code, ...others] = [...description.matchAll(/^`([A-Z_]+)`: /gm)].map((match) => match[1] ?? '')
  if (code === undefined || others.length > 0) return undefined
  return code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}

const maxInt32 = 2_147_483_647

/** int32 where the bounds fit, else int64: the bounds are what is enforced, the format spares clients working it out. */
function nameFormats(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const schema = value as Schema
  if ([schema.type].flat().includes('integer')) {
    const fits = (schema.maximum ?? Infinity) <= maxInt32 && (schema.minimum ?? -Infinity) >= -maxInt32 - 1
    schema.format ??= fits ? 'int32' : 'int64'
  }
  for (const member of Object.values(value)) nameFormats(member)
}

/** The answer that is a file, without an envelope. */
export const fileResponse = (mediaType: string, description: string) => {
  const name = { type: 'string', maxLength: 200, description: 'A name for the file' }
  const content = { [mediaType]: { schema: { type: 'string', maxLength: Number.MAX_SAFE_INTEGER } } }
  return { description, headers: { 'Content-Disposition': name }, content }
}
