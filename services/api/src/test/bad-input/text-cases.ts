import { type BadCase, invalid, preview, unreadable } from './cases.ts'
import { type Place, withBytes, withToken, withValue } from './pointers.ts'
import { isClosed } from './type-cases.ts'

const backslash = '\\'

/** Whole bodies that are no JSON, or JSON of another shape. */
export function syntaxCases(body: unknown): readonly BadCase[] {
  const text = JSON.stringify(body)
  const inner = text.slice(1, -1)
  const broken: readonly (readonly [name: string, payload: string | Buffer])[] = [
    ['nothing at all', ''],
    ['white space', ' \n'],
    ['an open brace', '{'],
    ['cut off at the end', text.slice(0, -1)],
    ['cut off in the middle', text.slice(0, Math.ceil(text.length / 2))],
    ['a comma too many', `{${inner},}`],
    ['a comma at the start', `{,${inner}}`],
    ['two documents', text + text],
    ['text after the document', `${text}x`],
    ['text before the document', `x${text}`],
    ['single quotes', text.replaceAll('"', "'")],
    ['bare keys', text.replace(/"(\w+)":/, '$1:')],
    ['a comment', `/* */${text}`],
    ['a line comment', `// x\n${text}`],
    ['semicolon for comma', `{${inner};"a":1}`],
    ['an equals sign', text.replace(':', '=')],
    ['a JSONP call', `call(${text})`],
    ['an XSSI prefix', `)]}',\n${text}`],
    ['a form', 'sku=1&quantity=2'],
    ['XML', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
    ['YAML', 'sku: 1\nquantity: 2\n'],
    ['NaN', 'NaN'],
    ['undefined', 'undefined'],
    ['a byte order mark', `\ufeff${text}`],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['UTF-16 with a mark', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])],
    ['UTF-32', Buffer.from([...text].flatMap((c) => [0, 0, 0, c.charCodeAt(0)]))],
    ['latin-1', Buffer.from(`{"k":"é",${inner}}`, 'latin1')],
    ['NUL before', Buffer.concat([Buffer.from([0]), Buffer.from(text)])],
    ['NUL after', Buffer.concat([Buffer.from(text), Buffer.from([0])])],
    ['gzip', Buffer.from('1f8b08000000000000ff', 'hex')],
    ['33 levels of arrays', '['.repeat(33) + ']'.repeat(33)],
    ['33 levels of objects', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
    ['100,000 levels', '['.repeat(100_000)],
    ['form feed as white space', `\f${text}`],
    ['no-break space as white space', `\u00a0${text}`],
  ]
  return [
    ...broken.map(([name, payload]) => unreadable('syntax', name, payload)),
    ...[null, [], [body], 'text', 7, true].map((value) => invalid('syntax', `is ${preview(value)}`, '', value)),
  ]
}

/** Each key of each object twice, with the same and with another value. */
export function duplicateCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  const objects = places.filter(({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value))
  return objects.flatMap(({ pointer, value }) =>
    Object.entries(value as object).flatMap(([key, member]) => {
      const twice = (other: string): string =>
        withToken(body, pointer, `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(key)}:${other}}`)
      const escaped = `${JSON.stringify(value).slice(0, -1)},"${unicodeEscape(key)}":null}`
      return [
        unreadable('duplicate', `${pointer}/${key} twice`, twice(JSON.stringify(member))),
        unreadable('duplicate', `${pointer}/${key} twice, then null`, twice('null')),
        unreadable('duplicate', `${pointer}/${key} twice, once escaped`, withToken(body, pointer, escaped)),
      ]
    }),
  )
}

const unicodeEscape = (key: string): string =>
  [...key].map((c) => `${backslash}u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('')

/** Texts that are no Unicode, in every string and as a key of every object. */
export function unicodeCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  const strings = places.filter(({ value }) => typeof value === 'string')
  const objects = places.filter(({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value))
  return [
    ...strings.flatMap(({ pointer }) => [
      ...escapes.map(([name, text]) =>
        unreadable('unicode', `${pointer} ${name}`, withToken(body, pointer, `"${text}"`)),
      ),
      ...byteRuns.map(([name, bytes]) => unreadable('unicode', `${pointer} ${name}`, withBytes(body, pointer, bytes))),
    ]),
    ...objects.flatMap(({ pointer, value }) => [
      ...escapes.slice(0, 2).map(([name, text]) => keyCase(body, pointer, value as object, name, text)),
      keyCase(body, pointer, value as object, '__proto__', '__proto__'),
      keyCase(body, pointer, value as object, '__proto__, escaped', `__${unicodeEscape('proto')}__`),
    ]),
    ...places
      .filter(isClosed)
      .map(({ pointer, value }) =>
        invalid(
          'unknown',
          'has a key of 70,000 characters',
          pointer,
          withValue(body, pointer, { ...(value as object), ['k'.repeat(70_000)]: 1 }),
        ),
      ),
  ]
}

const keyCase = (body: unknown, pointer: string, value: object, name: string, key: string): BadCase =>
  unreadable(
    'unicode',
    `${pointer || '/'} key ${name}`,
    withToken(body, pointer, `{"${key}":1,${JSON.stringify(value).slice(1)}`),
  )

const escapes: readonly (readonly [name: string, text: string])[] = [
  ['NUL', `a${backslash}u0000`],
  ['a high surrogate alone', `${backslash}ud83d`],
  ['a low surrogate alone', `${backslash}ude00`],
  ['surrogates the wrong way round', `${backslash}ude00${backslash}ud83d`],
  ['a broken escape', `${backslash}u12`],
  ['an unknown escape', `${backslash}x41`],
  ['a raw newline', 'a\nb'],
  ['a raw tab', 'a\tb'],
]

const byteRuns: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['a stray continuation byte', [0x80]],
  ['a sequence cut off', [0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['0xFF', [0xff]],
  ['a raw NUL', [0x00]],
]
