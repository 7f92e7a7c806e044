import t from 'tap'

// Run by uncaught.test.ts: what is thrown where no test waits for it.

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const throwLater = (message: string, ms: number) =>
  setTimeout(() => {
    throw new Error(message)
  }, ms)

t.test('throws in a timer', async () => {
  throwLater('thrown', 5)
  await pause(100)
})

t.test('rejects', async (t) => {
  await t.test('has ended', async (t) => t.pass('well'))
  await t.test('runs', async () => {
    Promise.reject(new Error('rejected'))
    await pause(100)
  })
})

t.test('listens itself', async (t) => {
  const caught = new Promise((resolve) => process.once('uncaughtException', resolve))
  throwLater('expected', 5)
  t.match(await caught, { message: 'expected' }, 'heard')
})

t.test('leaves a timer', async (t) => {
  throwLater('left over', 5)
  t.pass('early')
})

t.test('is next', () => pause(100))
