import { findProcess } from './process-table.ts'

const checkMs = 500

/**
 * Calls `onGone` once when the npm that started this process is no more: killed, it passes nothing on.
 * Between it and this process there may be a shell, which stays.
 */
export function watchNpm(onGone: () => void): void {
  const shell = process.ppid
  const npm = /^(\S*\/)?(ba|da|z)?sh -c /.test(findProcess(shell)?.command ?? '') ? parentOf(shell) : undefined
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || parentOf(shell) === npm)) return
    clearInterval(timer)
    onGone()
  }, checkMs)
  timer.unref()
}

const parentOf = (pid: number): number | undefined => findProcess(pid)?.parent
