import { canonicalJson } from '#platform/canonical-json.ts'
import { type JsonSchema, type Operation, parametersIn, resolve } from '../operations.ts'
import { pathOf, type Sample } from '../samples.ts'
import { type BadCase, type Category, preview } from './cases.ts'
import { textsBeyond } from './limit-cases.ts'
import { prefixOf, wrongIds, wrongTimes } from './value-cases.ts'

const longestUrl = 8_192

const refused = (category: Category, name: string, url: string, statuses: readonly number[] = [422]): BadCase => ({
  category,
  name,
  change: { url },
  statuses: url.length > longestUrl ? [414] : statuses,
})

/** Texts that cannot be decoded, or hold what no text may hold. */
const undecodable = [
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%u0041',
  '%ff',
  '%c0%af',
  '%c0%80',
  '%ed%a0%80',
  '%e2%82',
  '%f4%90%80%80',
]

/** Every path parameter with what it cannot be. Dot segments go over a socket: an HTTP client would resolve them. */
export function pathCases(sample: Sample): readonly BadCase[] {
  return parametersIn(sample.operation, 'path').flatMap(({ name, schema }) => {
    const prefix = prefixOf(schema.pattern)
    const wrong = prefix === undefined ? textsBeyond(schema).map(String) : wrongIds(prefix)
    const texts = wrong.filter((text) => text !== '' && !/^\.+$/.test(text))
    return [
      ...texts.map((text) =>
        refused('paths', `{${name}} is ${preview(text)}`, urlWith(sample, name, encodeURIComponent(text))),
      ),
      ...undecodable.map((raw) => refused('paths', `{${name}} is ${raw}`, urlWith(sample, name, raw), [400])),
      refused('paths', `{${name}} is empty`, urlWith(sample, name, ''), [404, 405, 422]),
      refused('paths', `{${name}} has 3,000 characters`, urlWith(sample, name, 'a'.repeat(3_000))),
      refused('paths', `{${name}} makes the URL too long`, urlWith(sample, name, 'a'.repeat(longestUrl)), [414]),
    ]
  })
}

const placeholder = 'PLACEHOLDER'

const urlWith = ({ operation, params }: Sample, name: string, raw: string): string =>
  pathOf(operation, { ...params, [name]: placeholder }).replace(placeholder, () => raw)

const foreign = [
  'nonsense=1',
  'nonsense',
  '=1',
  '__proto__=1',
  '__proto__[x]=1',
  'constructor=1',
  'constructor[prototype][x]=1',
]
const foreignNames = [
  'toString=1',
  'hasOwnProperty=1',
  'organizationId=org_1',
  'fields=id',
  'limit[]=1',
  'limit[$gt]=1',
  'page=2',
]

/** Unknown and undecodable parameters everywhere, and every declared one with what it cannot be. */
export function queryCases(sample: Sample): readonly BadCase[] {
  const { operation } = sample
  const base = pathOf(operation, sample.params)
  const declared = parametersIn(operation, 'query')
  const known = new Set(declared.map(({ name }) => name))
  const unknown = [...foreign, ...foreignNames].filter((part) => !known.has(part.split('=')[0] ?? ''))
  const free = declared.find(({ schema }) => textual(schema))?.name ?? 'nonsense'
  return [
    ...unknown.map((query) => refused('queries', `?${query}`, `${base}?${query}`)),
    ...undecodable.map((raw) => refused('queries', `?${free}=${raw}`, `${base}?${free}=${raw}`, [400])),
    refused('queries', 'an undecodable name', `${base}?%ff=1`, [400]),
    refused('queries', 'a query that makes the URL too long', `${base}?${free}=${'a'.repeat(longestUrl)}`, [414]),
    ...declared
      .filter(({ name }) => name !== 'after' && name !== 'before')
      .flatMap(({ name, schema }) => parameterCases(operation, base, name, resolve(schema))),
  ]
}

const textual = ({ type, format, enum: allowed }: JsonSchema): boolean => type === 'string' && !format && !allowed

function parameterCases(operation: Operation, base: string, name: string, schema: JsonSchema): readonly BadCase[] {
  const isList = schema.type === 'array'
  const one = isList && schema.items ? resolve(schema.items) : schema
  const wrong = [...new Set([...wrongTexts(one), ...(isList ? [] : [''])])]
  const many = Array.from({ length: (schema.maxItems ?? 0) + 1 }, () => `${name}=${String(one.enum?.[0] ?? 'a')}`)
  return [
    ...wrong.map((text) =>
      refused('queries', `?${name}=${preview(text)}`, `${base}?${name}=${encodeURIComponent(text)}`),
    ),
    refused('queries', `?${name}[]`, `${base}?${name}[]=1`),
    refused('queries', `?${name}[a]`, `${base}?${name}[a]=1`),
    ...(isList && schema.maxItems !== undefined
      ? [refused('queries', `?${name} too often`, `${base}?${many.join('&')}`)]
      : []),
    ...(isList ? [] : [refused('queries', `?${name} twice in ${operation.id}`, `${base}?${name}=1&${name}=2`)]),
  ]
}

const noIntegers = [
  'abc',
  '1.5',
  '-1',
  'NaN',
  'Infinity',
  'null',
  'true',
  '[]',
  '{}',
  '1,2',
  '1;2',
  '٣',
  '1e400',
  "1' or 1=1--",
  '2147483648',
]

function wrongTexts(schema: JsonSchema): readonly string[] {
  if (schema.format === 'date-time') return wrongTimes
  const prefix = prefixOf(schema.pattern)
  if (prefix !== undefined) return wrongIds(prefix)
  if (schema.type === 'boolean') return ['', 'yes', '1', 'TRUE', 'null']
  if (schema.type !== 'integer') return textsBeyond(schema).map(String)
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema
  return [...noIntegers, String(minimum - 1), String(maximum + 1), `${maximum}0`]
}

/** Cursors that were not made for this list, this filter and this tenant, or not made by the service at all. */
export function cursorCases(
  sample: Sample,
  encode: (binding: string) => string,
  organizationId: string,
): readonly BadCase[] {
  const { operation } = sample
  if (!operation.isPaginated) return []
  const base = pathOf(operation, sample.params)
  const filter = canonicalJson([sample.params, {}])
  const own = encode(`${operation.id} ${organizationId} ${filter}`)
  const forged: readonly (readonly [name: string, cursor: string])[] = [
    ['empty', ''],
    ['a word', 'garbage'],
    ['a number', '1'],
    ['plain JSON', JSON.stringify(['x'])],
    ['unsigned JSON', Buffer.from(JSON.stringify(['x'])).toString('base64url')],
    ['a signature of zeros', Buffer.concat([Buffer.alloc(16), Buffer.from('["x"]')]).toString('base64url')],
    ['a signature without a position', Buffer.alloc(16).toString('base64url')],
    ['of another operation', encode(`other.list ${organizationId} ${filter}`)],
    ['of another tenant', encode(`${operation.id} org_01jd0000000000000000000000 ${filter}`)],
    [
      'of another filter',
      encode(`${operation.id} ${organizationId} ${canonicalJson([sample.params, { status: ['x'] }])}`),
    ],
    ['of another path', encode(`${operation.id} ${organizationId} [{"x":"y"},{}]`)],
    ['cut off', own.slice(0, -4)],
    ['with its first character changed', (own[0] === 'A' ? 'B' : 'A') + own.slice(1)],
    ['with a character of the position changed', own.slice(0, -3) + (own.at(-3) === 'A' ? 'B' : 'A') + own.slice(-2)],
    ['longer by a position', `${own}AAAA`],
    ['in upper case', own.toUpperCase()],
    ['an injection', "' or '1'='1"],
    ['a path', '../../etc/passwd'],
  ]
  return ['after', 'before'].flatMap((name) => [
    ...forged.map(
      ([what, cursor]): BadCase => ({
        category: 'cursors',
        name: `${name} is ${what}`,
        change: { url: `${base}?${name}=${encodeURIComponent(cursor)}` },
        statuses: [400],
        code: 'INVALID_CURSOR',
      }),
    ),
    refused('cursors', `${name} twice`, `${base}?${name}=a&${name}=b`),
    refused('cursors', `${name} of 1,025 characters`, `${base}?${name}=${'a'.repeat(1_025)}`),
    refused('cursors', `${name} beside the other`, `${base}?after=${own}&before=${own}`, [400]),
  ])
}
