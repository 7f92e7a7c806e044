import { defineProblem } from './problem.ts'

export const PreconditionFailed = defineProblem({
  status: 412,
  code: 'PRECONDITION_FAILED',
  title: 'The resource has changed since the version in If-Match',
  advice: 'Read the resource again, decide anew, and send its current ETag in If-Match.',
})

export const PreconditionRequired = defineProblem({
  status: 428,
  code: 'PRECONDITION_REQUIRED',
  title: 'This change needs an If-Match header',
  advice: 'Send the ETag (or the version in double quotes) of the resource you read in If-Match.',
})

/** The parsed If-Match of a request: the versions it accepts, any of them, or none given. */
export interface ExpectedVersion {
  readonly versions: readonly number[] | 'any' | null
  readonly required: boolean
}

/**
 * Compares the version that was read with the one the caller expects; call it right after the look-up.
 * @throws PreconditionRequired when a required If-Match is missing, PreconditionFailed when none matches.
 */
export function checkVersion(expected: ExpectedVersion, current: number): void {
  if (expected.versions === null) {
    if (expected.required) throw new PreconditionRequired()
    return
  }
  if (expected.versions !== 'any' && !expected.versions.includes(current))
    throw new PreconditionFailed({ detail: `The current version is ${current}` })
}
