import { type BadCase, invalid, preview, unreadable } from './cases.ts'
import { type Place, withToken, withValue } from './pointers.ts'

/** Numbers that are none, or that doubles cannot carry, at every integer. */
export function numberCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  const integers = places.filter(({ value }) => typeof value === 'number')
  const wrong = ['1.5', '0.1', '1e-1', '-0.5', '99999.999999']
  const texts = ['1', '1.0', '0x1', '', ' 1', '1e0', 'NaN', 'Infinity', '１', '1,000']
  const beyond = [
    '9007199254740993',
    '-9007199254740993',
    '9007199254740992',
    '1e400',
    '-1e400',
    '1e20',
    '1e308',
    '9'.repeat(400),
  ]
  const noNumbers = [
    'NaN',
    'Infinity',
    '-Infinity',
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    '0b1',
    '1_000',
    '1n',
    '--1',
    '1e',
    '-',
    '1,5',
  ]
  return integers.flatMap(({ pointer }) => [
    ...wrong.map((token) => invalidToken('numbers', body, pointer, token)),
    ...texts.map((text) => invalid('numbers', `is ${preview(text)}`, pointer, withValue(body, pointer, text))),
    ...[...beyond, ...noNumbers].map((token) =>
      unreadable('numbers', `${pointer} is ${token.slice(0, 30)}`, withToken(body, pointer, token)),
    ),
  ])
}

const invalidToken = (category: 'numbers', body: unknown, pointer: string, token: string): BadCase => {
  const { name, statuses, code } = invalid(category, `is ${token}`, pointer, null)
  return {
    category,
    name,
    statuses,
    pointer,
    change: { payload: withToken(body, pointer, token) },
    ...(code ? { code } : {}),
  }
}

export const wrongTimes: readonly string[] = [
  '',
  'now',
  'yesterday',
  '1700000000',
  '1700000000000',
  '2035-01-15',
  '2035-01-15T09:30',
  '2035-01-15T09:30:00',
  '2035-01-15T09:30:00.000',
  '2035-01-15T09:30:00.000+02:00',
  '2035-01-15T09:30:00.000+00:00',
  '2035-01-15T09:30:00.000-00:00',
  '2035-01-15T09:30:00+0200',
  '2035-01-15T09:30:00.000 Z',
  '2035-01-15 09:30:00.000Z',
  '2035-01-15t09:30:00.000z',
  '2035-02-29T00:00:00.000Z',
  '2035-02-30T00:00:00.000Z',
  '2035-04-31T00:00:00.000Z',
  '2035-00-15T00:00:00.000Z',
  '2035-13-15T00:00:00.000Z',
  '2035-01-00T00:00:00.000Z',
  '2035-01-32T00:00:00.000Z',
  '2035-01-15T24:00:00.000Z',
  '2035-01-15T25:00:00.000Z',
  '2035-01-15T09:60:00.000Z',
  '2035-01-15T09:30:60.000Z',
  '2035-12-31T23:59:60Z',
  '2035-01-15T09:30:00.0000Z',
  '2035-01-15T09:30:00,000Z',
  '2035-01-15T09:30:00.Z',
  '20350115T093000Z',
  '2035-1-5T9:30:00Z',
  '35-01-15T09:30:00Z',
  '12035-01-15T09:30:00Z',
  '+012035-01-15T09:30:00Z',
  '-002035-01-15T09:30:00Z',
  '2035-W03-1T09:30:00Z',
  '2035-015T09:30:00Z',
  '15/01/2035 09:30',
  'Mon, 15 Jan 2035 09:30:00 GMT',
  ' 2035-01-15T09:30:00.000Z',
  '2035-01-15T09:30:00.000Z\n',
  '２０３５-01-15T09:30:00.000Z',
  'infinity',
  '-infinity',
  'epoch',
]

export function dateCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  return places
    .filter(({ schema }) => schema.format === 'date-time')
    .flatMap(({ pointer }) => [
      ...wrongTimes.map((text) => invalid('dates', `is ${preview(text)}`, pointer, withValue(body, pointer, text))),
      invalid('dates', 'is an epoch number', pointer, withValue(body, pointer, 1_700_000_000_000)),
    ])
}

const letters = '0'.repeat(25)

/** Texts that are no id with this prefix. */
export const wrongIds = (prefix: string): readonly string[] => [
  '',
  '1',
  '0',
  '-1',
  'null',
  'undefined',
  `${prefix}_`,
  `${prefix}_1`,
  `${prefix}${letters}0`,
  `${prefix}-${letters}0`,
  `${prefix === 'ord' ? 'prd' : 'ord'}_${letters}0`,
  `${prefix.toUpperCase()}_${letters}0`,
  `_${letters}0`,
  `${letters}0`,
  `${prefix}_${letters}`,
  `${prefix}_${letters}00`,
  `${prefix}_8${letters}`,
  ...[...'iloAZu*_é'].map((other) => `${prefix}_${letters}${other}`),
  ` ${prefix}_${letters}0`,
  `${prefix}_${letters}0 `,
  `${prefix}_${letters}0\n`,
  `${prefix}_${letters}0'--`,
  `${prefix}_01890a5d-ac96-774b-bcce-b302099a8057`,
  '01890a5d-ac96-774b-bcce-b302099a8057',
  `${prefix}_${letters}0,${prefix}_${letters}1`,
  `../${prefix}_${letters}0`,
  `${prefix}_${letters}0/../x`,
  `${prefix}_${letters}${'0'.repeat(1_000)}`,
]

/** The prefix a pattern of ids asks for: `ord` of `^ord_[0-7]…$`. */
export const prefixOf = (pattern: string | undefined): string | undefined =>
  /^\^([a-z]{3})_\[0-7\]/.exec(pattern ?? '')?.[1]

export function idCases(body: unknown, places: readonly Place[]): readonly BadCase[] {
  return places.flatMap(({ pointer, schema }) => {
    const prefix = prefixOf(schema.pattern)
    if (prefix === undefined) return []
    return wrongIds(prefix).map((id) => invalid('ids', `is ${preview(id)}`, pointer, withValue(body, pointer, id)))
  })
}
