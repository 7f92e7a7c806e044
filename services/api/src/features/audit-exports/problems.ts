import { defineProblem } from '#platform/problem.ts'

export const ExportNotFound = defineProblem({
  status: 404,
  code: 'EXPORT_NOT_FOUND',
  title: 'There is no such export',
  advice: 'Finished exports are kept for some days; then a new one has to be made.',
})
export const ExportNotReady = defineProblem({
  status: 409,
  code: 'EXPORT_NOT_READY',
  title: 'The export is still being written',
  advice: 'Read the export until its state is completed, then its content.',
  retryable: true,
})
export const ExportFailed = defineProblem({
  status: 409,
  code: 'EXPORT_FAILED',
  title: 'The export was not written to its end',
  advice: 'Ask for a new one. One whose job is dead is completed when the job is run again.',
})
