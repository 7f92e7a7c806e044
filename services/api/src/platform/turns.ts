/** Runs a task when it is its turn, and settles as it does. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>

/** Lets at most `most` tasks run at a time, in the order in which they came. */
export function createTurns(most: number): InTurn {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    return task().finally(() => {
      const next = waiting.shift()
      if (next) next()
      else running--
    })
  }
}

/** The same, and the tasks of one key run one after the other: none waits for its key while it takes up a place. */
export function createKeyedTurns(most: number): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const inTurn = createTurns(most)
  const lastOf = new Map<string, Promise<unknown>>()
  return (key, task) => {
    const before = lastOf.get(key) ?? Promise.resolve()
    const running = before.then(() => inTurn(task))
    const ended = running
      .catch(() => {})
      .then(() => {
        if (lastOf.get(key) === ended) lastOf.delete(key)
      })
    lastOf.set(key, ended)
    return running
  }
}
