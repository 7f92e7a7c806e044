import { defineProblem } from '#platform/problem.ts'

export const JobNotFound = defineProblem({ status: 404, code: 'JOB_NOT_FOUND', title: 'There is no such job' })
export const JobNotDead = defineProblem({
  status: 409,
  code: 'JOB_NOT_DEAD',
  title: 'The job is not dead',
  advice: 'Only a job whose attempts have all failed can be run again.',
})
export const JobOver = defineProblem({
  status: 409,
  code: 'JOB_OVER',
  title: 'The job has ended already',
})
export const DeadLetterNotFound = defineProblem({
  status: 404,
  code: 'DEAD_LETTER_NOT_FOUND',
  title: 'There is no such dead letter',
})
