import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { createApiKey } from './create-api-key.ts'
import { changeOrganization } from './organizations.ts'
import { ApiKeyNotFound, ApiKeyRevoked, InvalidCidr, InvalidExpiry, ScopeNotHeld, SourceNotHeld } from './problems.ts'
import { listApiKeys, readApiKey, readMe, readOrganization } from './read-identity.ts'
import { revokeApiKey } from './revoke-api-key.ts'
import { rotateApiKey } from './rotate-api-key.ts'
import {
  ApiKey,
  ApiKeyParams,
  CreateApiKey,
  Me,
  NewApiKey,
  Organization,
  RotateApiKey,
  UpdateOrganization,
} from './schemas.ts'

export function identityRoutes(app: FastifyInstance): void {
  const { RATE_LIMIT_PER_KEY } = app.kernel.config
  app.route(
    query({
      id: 'me.get',
      summary: 'Read who is calling',
      description: 'The credential in use: who, scopes, limits, organization.',
      url: '/v1/me',
      scope: null,
      returns: Me,
      problems: [],
      handle: (view) => readMe(view, RATE_LIMIT_PER_KEY),
    }),
  )

  app.route(
    query({
      id: 'organization.get',
      summary: 'Read the organization',
      url: '/v1/organization',
      scope: 'organization:read',
      returns: Organization,
      problems: [],
      handle: readOrganization,
    }),
  )
  app.route(
    command({
      id: 'organization.update',
      summary: 'Change the organization',
      method: 'PATCH',
      url: '/v1/organization',
      status: 200,
      scope: 'organization:write',
      idempotency: 'optional',
      ifMatch: 'required',
      body: UpdateOrganization,
      returns: Organization,
      problems: [],
      handle: (work, { body, expected }) => changeOrganization(work, body, expected),
    }),
  )

  app.route(
    command({
      id: 'apiKeys.create',
      summary: 'Create an API key',
      description: 'The answer holds the secret; it is never shown again.',
      method: 'POST',
      url: '/v1/api-keys',
      status: 201,
      scope: 'apiKeys:write',
      idempotency: 'optional',
      confidential: true,
      body: CreateApiKey,
      returns: NewApiKey,
      problems: [ScopeNotHeld, SourceNotHeld, InvalidCidr, InvalidExpiry],
      location: ({ id }) => `/v1/api-keys/${id}`,
      handle: (work, { body }) => createApiKey(work, body),
    }),
  )
  app.route(
    list({
      id: 'apiKeys.list',
      summary: 'List API keys, newest first',
      url: '/v1/api-keys',
      scope: 'apiKeys:read',
      filter: {},
      item: ApiKey,
      problems: [],
      handle: (view, { page }) => listApiKeys(view, page),
    }),
  )
  app.route(
    query({
      id: 'apiKeys.get',
      summary: 'Read an API key',
      url: '/v1/api-keys/:apiKeyId',
      scope: 'apiKeys:read',
      params: ApiKeyParams,
      returns: ApiKey,
      problems: [ApiKeyNotFound],
      handle: (view, { params }) => readApiKey(view, params.apiKeyId),
    }),
  )
  app.route(
    command({
      id: 'apiKeys.rotate',
      summary: 'Rotate an API key',
      description: 'Issues a new secret for the same principal; the old one works until the overlap ends.',
      method: 'POST',
      url: '/v1/api-keys/:apiKeyId/rotate',
      status: 201,
      scope: 'apiKeys:write',
      idempotency: 'optional',
      confidential: true,
      params: ApiKeyParams,
      body: RotateApiKey,
      returns: NewApiKey,
      problems: [ApiKeyNotFound, ApiKeyRevoked, ScopeNotHeld, SourceNotHeld],
      location: ({ id }) => `/v1/api-keys/${id}`,
      handle: (work, { params, body }) => rotateApiKey(work, params.apiKeyId, body),
    }),
  )
  app.route(
    command({
      id: 'apiKeys.revoke',
      summary: 'Revoke an API key',
      method: 'POST',
      url: '/v1/api-keys/:apiKeyId/revoke',
      status: 200,
      scope: 'apiKeys:write',
      idempotency: 'optional',
      params: ApiKeyParams,
      returns: ApiKey,
      problems: [ApiKeyNotFound],
      handle: (work, { params }) => revokeApiKey(work, params.apiKeyId),
    }),
  )
}
