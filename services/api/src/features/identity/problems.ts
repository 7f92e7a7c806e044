import { defineProblem } from '#platform/problem.ts'

export const ApiKeyNotFound = defineProblem({
  status: 404,
  code: 'API_KEY_NOT_FOUND',
  title: 'There is no such API key',
})
export const ApiKeyRevoked = defineProblem({
  status: 409,
  code: 'API_KEY_REVOKED',
  title: 'The API key has been revoked or has expired',
})
export const ScopeNotHeld = defineProblem({
  status: 403,
  code: 'SCOPE_NOT_HELD',
  title: 'A key can only give scopes that it has itself',
})
export const SourceNotHeld = defineProblem({
  status: 403,
  code: 'SOURCE_NOT_HELD',
  title: 'A key that is bound to sources can only give those',
})
export const InvalidCidr = defineProblem({
  status: 422,
  code: 'INVALID_CIDR',
  title: 'An entry of allowedCidrs is not an address range',
  advice: 'Write ranges like 203.0.113.0/24 or 2001:db8::/32.',
})
export const InvalidExpiry = defineProblem({
  status: 422,
  code: 'INVALID_EXPIRY',
  title: 'expiresAt must be in the future',
})
