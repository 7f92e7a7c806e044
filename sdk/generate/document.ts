// The part of an OpenAPI 3.1 document that the generator reads.

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly allOf?: readonly Schema[]
  readonly [keyword: string]: unknown
}

export interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly description?: string
  readonly deprecated?: boolean
  readonly schema?: Schema
}

export interface Content {
  readonly $ref?: string
  readonly required?: boolean
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

export interface OperationObject {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses?: Readonly<Record<string, Content>>
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly 'x-idempotency'?: 'required' | 'optional' | 'none'
  readonly 'x-pagination'?: string
  readonly 'x-error-codes'?: readonly string[]
  readonly 'x-stability'?: string
  readonly 'x-stream'?: unknown
  readonly 'x-sdk'?: boolean
}

export interface Document {
  readonly openapi: string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>
    readonly [section: string]: unknown
  }
}

/** Follows `$ref` until the thing itself. */
export function resolve<T extends { readonly $ref?: string }>(document: Document, thing: T): T {
  if (thing.$ref === undefined) return thing
  let found: unknown = document
  for (const key of thing.$ref.replace(/^#\//, '').split('/')) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~')
    found = (found as Record<string, unknown> | undefined)?.[name]
  }
  if (found === undefined) throw new Error(`${thing.$ref} is not in the document`)
  return resolve(document, found as T)
}

/** `apiKeys` → `ApiKeys`. */
export const pascalCase = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

/** `apiKeys` → `api-keys`. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Sorts by code unit, so the output is the same on every machine. */
export const sorted = (names: Iterable<string>): string[] => [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
