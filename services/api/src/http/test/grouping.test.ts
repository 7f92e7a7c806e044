import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import t from 'tap'
import { createGroups } from '#http/grouping.ts'
import { defineProblem } from '#platform/problem.ts'
import type { OnceOutcome, OnceRequest, UnitOfWork } from '#platform/work.ts'

const Refused = defineProblem({ status: 422, code: 'REFUSED', title: 'Refused', advice: 'Planted.' })

/** Groups over transactions that end when the test says so. */
function createBench(limits = { maxSize: 128, maxInFlight: 3 }) {
  const running: { readonly inputs: readonly string[]; end(problem?: Error): void }[] = []
  const writeGroup = (requests: readonly OnceRequest<string>[]) =>
    new Promise<OnceOutcome[]>((resolve, reject) => {
      const inputs = requests.map(({ input }) => input)
      const answers = inputs.map((data) => ({
        answer: { status: 201, etag: null, location: null, data },
        replayed: false,
      }))
      running.push({ inputs, end: (problem) => (problem ? reject(problem) : resolve(answers)) })
    })
  const group = { prepare: async () => null, run: async () => [] }
  const submit = createGroups({ writeGroup } as unknown as UnitOfWork, limits, group)
  const place = (input: string, organizationId = 'org_a') =>
    submit({ input, origin: { actor: { organizationId } } } as unknown as OnceRequest<string>)
  return { running, place, groups: () => running.map(({ inputs }) => inputs.join(' ')) }
}

const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${index}`)
/** As long as what was submitted takes to be looked at. */
const tick = () => immediate()

t.test('a request alone starts at once; those of the same moment start with it', async (t) => {
  const { place, groups, running } = createBench()
  const [first, second] = [place('1'), place('2')]
  await tick()
  t.same(groups(), ['1 2'])
  running[0]?.end()
  t.match(await Promise.all([first, second]), [{ answer: { data: '1' } }, { answer: { data: '2' } }])
})

t.test('those that come while one runs leave together when it ends', async (t) => {
  const { place, groups, running } = createBench()
  place('1')
  await tick()
  place('2')
  await tick()
  place('3')
  await tick()
  t.same(groups(), ['1'])
  running[0]?.end()
  await tick()
  t.same(groups(), ['1', '2 3'])
})

t.test('they do not wait for long, nor when they are many', async (t) => {
  const { place, groups } = createBench()
  place('1')
  await tick()
  place('2')
  await delay(40)
  t.same(groups(), ['1', '2'], 'a few start beside one that takes its time')
  for (const number of numbers(8)) place(number)
  await tick()
  t.same(groups(), ['1', '2', numbers(8).join(' ')], 'and many at once')
  for (const number of numbers(8)) place(number)
  await delay(40)
  t.equal(groups().length, 3, 'but never more than may run at a time')
})

t.test('other organizations are not waited for, and a size of 1 shares nothing', async (t) => {
  const shared = createBench()
  shared.place('1', 'org_a')
  shared.place('2', 'org_b')
  await tick()
  t.same(shared.groups(), ['1', '2'])
  const alone = createBench({ maxSize: 1, maxInFlight: 2 })
  for (const number of numbers(3)) alone.place(number)
  await tick()
  t.same(alone.groups(), ['0', '1'])
  alone.running[0]?.end()
  await tick()
  t.same(alone.groups(), ['0', '1', '2'])
})

t.test('a group that fails runs one by one, and each gets its own answer', async (t) => {
  const { place, groups, running } = createBench()
  const outcomes = [place('1'), place('2')]
  await tick()
  running[0]?.end(new Refused())
  await tick()
  running[1]?.end(new Refused())
  await tick()
  running[2]?.end()
  t.match(await Promise.all(outcomes), [{ problem: { code: 'REFUSED' } }, { answer: { data: '2' } }])
  t.same(groups(), ['1 2', '1', '2'])
})
