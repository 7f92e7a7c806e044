import t from 'tap'
import { idPattern, idPrefixes, newId } from '#platform/id.ts'
import { type PageRequest, toPage } from '#platform/page.ts'
import { AppError, defineProblem, problemCatalogue, problemSlug } from '#platform/problem.ts'
import { checkVersion } from '#platform/version.ts'

t.test('ids match their pattern, are unique, and sort in the order they were made', async (t) => {
  for (const prefix of Object.values(idPrefixes)) t.match(newId(prefix), new RegExp(idPattern(prefix)))
  const ids = Array.from({ length: 20_000 }, () => newId('ord'))
  t.equal(new Set(ids).size, ids.length)
  t.same(ids.toSorted(), ids, 'by bytes, as collate "C" does')
  t.equal(ids[0]?.length, 'ord_'.length + 26)
})

t.test('an id holds the time it was made and the version of its UUID', async (t) => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  const before = Date.now()
  const id = newId('evt').slice(4)
  const value = [...id].reduce((sum, character) => sum * 32n + BigInt(alphabet.indexOf(character)), 0n)
  const hex = value.toString(16).padStart(32, '0')
  const time = Number.parseInt(hex.slice(0, 12), 16)
  t.ok(time >= before && time <= Date.now())
  t.equal(hex[12], '7', 'UUIDv7')
  t.match(hex[16], /[89ab]/, 'the variant of RFC 9562')
})

t.test('the pattern refuses what can be no id of the kind', async (t) => {
  const pattern = new RegExp(idPattern('ord'))
  const tail = '0'.repeat(25)
  for (const id of [
    `ord_8${tail}`,
    `ord_0${tail}0`,
    `ord_${tail}`,
    `prd_0${tail}`,
    `ord_0${tail.slice(1)}I`,
    `ord_0${tail}\n`,
  ])
    t.notMatch(id, pattern, id)
  t.match(`ord_7${'z'.repeat(25)}`, pattern)
})

t.test('a page is made of one row more than asked for', async (t) => {
  const page = (rows: number[], request: Partial<PageRequest>) => {
    const full = { limit: 2, direction: 'forward', position: null, ...request } as const
    return toPage(rows, full, (row) => [row], String)
  }
  const position = [0]
  const backward = { direction: 'backward', position } as const
  t.same(page([], {}), { items: [], next: null, previous: null })
  t.same(page([1, 2], {}), { items: ['1', '2'], next: null, previous: null })
  t.same(page([1, 2, 3], {}), { items: ['1', '2'], next: [2], previous: null })
  t.same(page([1, 2, 3], { position }), { items: ['1', '2'], next: [2], previous: [1] })
  t.same(page([1], { position }), { items: ['1'], next: null, previous: [1] })
  t.same(page([3, 2, 1], backward), { items: ['2', '3'], next: [3], previous: [2] }, 'read backwards, shown forwards')
  t.same(page([2, 1], backward), { items: ['1', '2'], next: [2], previous: null })
  t.same(page([], { position }), { items: [], next: null, previous: null })
})

t.test('a version is compared after it was read', async (t) => {
  const check = (versions: readonly number[] | 'any' | null, required: boolean) => () =>
    checkVersion({ versions, required }, 7)
  for (const fine of [check(null, false), check('any', true), check([7], true), check([1, 7], false)])
    t.doesNotThrow(fine)
  t.throws(check(null, true), { code: 'PRECONDITION_REQUIRED', statusCode: 428 })
  t.throws(check([6, 8], false), { code: 'PRECONDITION_FAILED', statusCode: 412, message: 'The current version is 7' })
  t.throws(check([], true), { code: 'PRECONDITION_FAILED' })
})

t.test('a problem is declared once, and knows whether it is a defect', async (t) => {
  const definition = { status: 418, code: 'TEA_ONLY', title: 'Only tea' }
  const TeaOnly = defineProblem(definition)
  t.throws(() => defineProblem(definition), /TEA_ONLY is defined twice/)
  const cause = new Error('no beans')
  const problem = new TeaOnly({ detail: 'no coffee', cause })
  t.ok(problem instanceof AppError && problem instanceof Error)
  t.match(problem, { statusCode: 418, code: 'TEA_ONLY', isOperational: true, message: 'no coffee', name: 'TEA_ONLY' })
  t.equal(problem.cause, cause)
  t.equal(new TeaOnly().message, 'Only tea')
  t.equal(problemSlug(definition), 'tea-only')
  const codes = problemCatalogue().map(({ code }) => code)
  t.ok(codes.includes('TEA_ONLY'))
  t.same(codes.toSorted(), codes)
})
