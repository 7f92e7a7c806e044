import { defineProblem } from '#platform/problem.ts'

export const RangeOutsideLedger = defineProblem({
  status: 422,
  code: 'RANGE_OUTSIDE_LEDGER',
  title: 'The ledger does not hold these positions',
  advice: 'Leave out from and to for all there is. What retention has dropped can only be verified in an export.',
})
export const InvalidCheckpoint = defineProblem({
  status: 422,
  code: 'INVALID_CHECKPOINT',
  title: 'This is no checkpoint of the range',
  advice: 'Send the jws of a checkpoint of this organization, signed by a key of /.well-known/jwks.json.',
})
export const VerificationNotFound = defineProblem({
  status: 404,
  code: 'VERIFICATION_NOT_FOUND',
  title: 'There is no such verification',
})
export const WholeLedgerOnly = defineProblem({
  status: 403,
  code: 'WHOLE_LEDGER_ONLY',
  title: 'A key that is bound to sources cannot read the whole ledger',
})
